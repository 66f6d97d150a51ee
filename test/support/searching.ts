import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SimFederation } from '@regulon/cli/sim';
import { parsePlan } from '@regulon/shared/plan';

const program = fileURLToPath(new URL('../../cli/dist/main.js', import.meta.url));

/** The command of a researcher, in a process of its own. */
export function searching(root: string, { founded }: SimFederation) {
  const { folder, addresses } = founded;
  const env = {
    ...process.env,
    XDG_STATE_HOME: join(root, 'state'),
    REGULON_SERVER: `http://${addresses.host}:${addresses.httpPort}`,
    REGULON_FEDERATION: folder.federation,
    REGULON_TOKEN_FILE: join(folder.coordinator, 'token'),
    REGULON_KEY_FILE: join(folder.people, 'researcher-researcher-1.key'),
  };
  const args = ['run', 'search', join(root, 'search.json'), '--yes', '--format', 'json'];
  const child: ChildProcess = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', program, ...args],
    {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let [out, err] = ['', ''];
  child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const ended = new Promise<{ code: number | null; out: string; err: string }>((done) =>
    child.on('close', (code) => done({ code, out, err })),
  );
  return { child, ended, says: () => err };
}

/** Stewards who approve whatever is proposed, until `done`. */
export async function approving<T>(federation: SimFederation, done: Promise<T>): Promise<T> {
  const approved = new Set<string>();
  let ended = false;
  const end = done.finally(() => (ended = true));
  while (!ended) {
    for (const { run, status } of await federation.api.runs()) {
      if (status !== 'QUEUED' || approved.has(run)) continue;
      approved.add(run);
      await federation.approve(run, parsePlan((await federation.api.run(run)).plan));
    }
    await new Promise((next) => setTimeout(next, 100));
  }
  return end;
}
