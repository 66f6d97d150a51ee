import { Exit } from '../output/index.js';
import { type Context, runProgram } from './index.js';

/** Run a command line without a terminal and without an environment; for specs. */
export async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return runIn({}, ...args);
}

/** Run a command line in an environment; for specs. */
export async function runIn(
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
    exitCode: Exit.done,
  };
  const code = await runProgram(args, context);
  return { code, out: out.join(''), err: err.join('') };
}
