import { Readable } from 'node:stream';
import { Exit } from '../output/index.js';
import { type Context, runProgram } from './index.js';
import { ProcessSecrets } from './secrets.js';

/** Run a command line without a terminal and without an environment; for specs. */
export async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return runIn({}, ...args);
}

/** Run a command line in an environment; for specs. */
export async function runIn(
  env: Context['env'],
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  return runTyping([], env, ...args);
}

/** Run a command line in an environment, with a line for each secret that it asks for; for specs. */
export async function runTyping(
  lines: readonly string[],
  env: Context['env'],
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const context: Context = {
    screen: { write: (t) => void err.push(t), isTerminal: false, width: () => 80 },
    streams: { out: (t) => void out.push(t), err: (t) => void err.push(t), outIsTerminal: false },
    env,
    interactive: false,
    secrets: new ProcessSecrets(Readable.from(lines.map((line) => `${line}\n`)), false, () => undefined),
    exitCode: Exit.done,
  };
  const code = await runProgram(args, context);
  return { code, out: out.join(''), err: err.join('') };
}
