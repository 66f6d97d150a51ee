import { type Command, Option } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { marksWrites, nameOf, type Writes } from '../command-table/index.js';
import { type Screen, stderrScreen } from '../demo/index.js';
import {
  type CommandResult,
  Exit,
  exitCodeOf,
  FORMATS,
  Output,
  processStreams,
  type Streams,
} from '../output/index.js';
import { ProcessSecrets, type Secrets } from './secrets.js';

/** What a command works with; replaced in tests. */
export interface Context {
  readonly streams: Streams;
  /** where a live board is drawn */
  readonly screen: Screen;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** whether a person can be asked */
  readonly interactive: boolean;
  readonly secrets: Secrets;
  /** set by the last command that ran */
  exitCode: number;
}

/** The context of this process. */
export function processContext(): Context {
  const interactive = process.stdin.isTTY === true && process.stderr.isTTY === true;
  return {
    streams: processStreams,
    screen: stderrScreen,
    env: process.env,
    interactive,
    secrets: new ProcessSecrets(process.stdin, interactive, processStreams.err),
    exitCode: Exit.done,
  };
}

/** A command's work: returns its result, or null when it already wrote everything itself. */
export type Handler<Options> = (
  args: readonly string[],
  options: Options,
  output: Output,
) => Promise<(CommandResult & { exitCode?: number }) | null>;

/**
 * Give a command `--format` and `--quiet`, run its handler, print the result or the two lines of an error, and keep the exit code.
 *
 * @param writes what the command changes, for `regulon describe`
 */
export function handles<Options>(
  command: Command,
  context: Context,
  handler: Handler<Options>,
  writes: Writes = 'nothing',
): void {
  marksWrites(command, writes);
  command
    .addOption(
      new Option(
        '--format <format>',
        'how the result is written; default: table on a terminal, else json',
      ).choices([...FORMATS]),
    )
    .option('--quiet', 'no progress; errors, warnings and questions stay', false);
  command.action(async (...received: unknown[]) => {
    const options = command.opts<Options & { format?: string; json?: boolean; quiet: boolean }>();
    const format = options.json ? 'json' : options.format;
    const output = new Output(nameOf(command), { format, quiet: options.quiet }, context.streams);
    try {
      const args = received
        .slice(0, -2)
        .flat()
        .filter((value): value is string => typeof value === 'string');
      const result = await handler(args, options, output);
      if (result) output.result(result);
      context.exitCode = result?.exitCode ?? exitCodeOfResult(result);
    } catch (error) {
      context.exitCode = output.error(error);
    } finally {
      context.secrets.close();
    }
  });
}

function exitCodeOfResult(result: CommandResult | null): number {
  if (result?.failure) return exitCodeOf(result.failure);
  return result?.partial ? Exit.partial : Exit.done;
}

/**
 * Writing commands need a person's yes.
 *
 * @throws E_ARGUMENT without `--yes` where nobody can be asked
 */
export async function confirm(context: Context, options: { yes?: boolean }, question: string): Promise<void> {
  if (options.yes) return;
  if (!context.interactive) {
    throw new RegulonError(
      'E_ARGUMENT',
      'this command changes something and there is no terminal to ask at',
      {
        hint: 'repeat it with --yes',
      },
    );
  }
  const { createInterface } = await import('node:readline/promises');
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question(`${question} [y/N] `);
  prompt.close();
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new RegulonError('E_ARGUMENT', 'not confirmed; nothing was changed');
}
