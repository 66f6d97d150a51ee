import { Command, CommanderError } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { Exit, Output } from '../output/index.js';
import type { Context } from './context.js';
import { auditCommands } from './audit.js';
import { doctorCommand } from './doctor.js';
import { modelCommands } from './model.js';
import { planCommands } from './plan.js';
import { runCommands } from './run.js';
import { simCommands } from './sim.js';

const VERSION = '0.1.0';

/** The whole command tree of `regulon`. */
export function buildProgram(context: Context): Command {
  const program = new Command('regulon')
    .description('hospitals train one gene-expression model together; no patient data leave a hospital')
    .version(VERSION)
    .showSuggestionAfterError(true);
  planCommands(program, context);
  runCommands(program, context);
  modelCommands(program, context);
  auditCommands(program, context);
  simCommands(program, context);
  doctorCommand(program, context);
  return quietly(program, context);
}

/**
 * Run one command line.
 *
 * @param args without the program's name
 * @returns exit code: see `Exit`
 */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  try {
    await buildProgram(context).parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0 || error.code === 'commander.help')
      return error.exitCode === 0 ? Exit.done : Exit.argument;
    const message = error.message.replace(/^error: /, '').replace(/\n.*/s, '');
    const suggestion = /Did you mean ([^?]+)\?/.exec(error.message)?.[1];
    const hint = suggestion
      ? `did you mean ${suggestion}?`
      : 'see `regulon --help`, or the command with --help';
    return new Output('regulon', askedFormat(args), context.streams).error(
      new RegulonError('E_ARGUMENT', message, { hint }),
    );
  }
}

/** Commander's own texts: help goes to stdout, errors are ours to print. */
function quietly(command: Command, context: Context): Command {
  command.exitOverride();
  command.configureOutput({ writeOut: (text) => context.streams.out(text), writeErr: () => {} });
  command.commands.forEach((child) => quietly(child, context));
  return command;
}

function askedFormat(args: readonly string[]): string {
  const at = args.findIndex((arg) => arg === '--format' || arg.startsWith('--format='));
  const text = at < 0 ? 'table' : (args[at]?.split('=')[1] ?? args[at + 1]);
  return text === 'json' || text === 'jsonl' ? text : 'table';
}
