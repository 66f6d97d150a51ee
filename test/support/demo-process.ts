/** `npm run demo` as a process. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../cli/dist/demo-main.js', import.meta.url));

export const compiledDemo = existsSync(program);

export interface Demo {
  readonly child: ChildProcess;
  /** what it has said on stderr */
  readonly err: () => string;
  readonly ended: Promise<{ code: number | null; out: string }>;
}

/** The demo with its temporary folders below `folder`. */
export function startDemo(folder: string, args: readonly string[]): Demo {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<{ code: number | null; out: string }>((done) => {
    child.on('close', (code) => done({ code, out }));
  });
  return { child, err: () => err, ended };
}
