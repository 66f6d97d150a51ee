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
  return runAs({ env }, ...args);
}

/** Who runs a command line in a spec. */
export interface SpecPerson {
  readonly env: Context['env'];
  /** typed, a line for each secret that is asked for */
  readonly lines?: readonly string[];
  /** sees what is shown beside the result, when it is shown */
  readonly sees?: (text: string) => void;
}

/** Run a command line as a person does; for specs. */
export async function runAs(
  { env, lines = [], sees = () => undefined }: SpecPerson,
  ...args: string[]
): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const show = (text: string): void => {
    err.push(text);
    sees(text);
  };
  const context: Context = {
    screen: { write: show, isTerminal: false, width: () => 80 },
    streams: { out: (t) => void out.push(t), err: show, outIsTerminal: false },
    env,
    interactive: false,
    secrets: new ProcessSecrets(Readable.from(lines.map((line) => `${line}\n`)), false, () => undefined),
    exitCode: Exit.done,
  };
  const code = await runProgram(args, context);
  return { code, out: out.join(''), err: err.join('') };
}
