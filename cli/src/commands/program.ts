import { Command, CommanderError } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { nameOf, wordsOf } from '../command-table/index.js';
import { askedFormat, Exit, Output } from '../output/index.js';
import type { Context } from './context.js';
import { acceleratorCommands } from './accelerator.js';
import { accountCommands } from './account.js';
import { auditCommands } from './audit.js';
import { completionCommand } from './completion.js';
import { describeCommand } from './describe.js';
import { dataCommands } from './data.js';
import { doctorCommand } from './doctor.js';
import { fedCommands } from './fed.js';
import { sessionCommands } from './login.js';
import { modelCommands } from './model.js';
import { planCommands } from './plan.js';
import { privacyCommands } from './privacy.js';
import { runCommands } from './run.js';
import { simCommands } from './sim.js';
import { siteCommands } from './site.js';
import { VERSION } from './version.js';

/** The whole command tree of `regulon`. */
function buildProgram(context: Context): Command {
  const program = new Command('regulon')
    .description('hospitals train one gene-expression model together; no patient data leave a hospital')
    .version(VERSION)
    .showSuggestionAfterError(true);
  planCommands(program, context);
  runCommands(program, context);
  dataCommands(program, context);
  modelCommands(program, context);
  privacyCommands(program, context);
  auditCommands(program, context);
  acceleratorCommands(program, context);
  simCommands(program, context);
  fedCommands(program, context);
  siteCommands(program, context);
  accountCommands(program, context);
  sessionCommands(program, context);
  doctorCommand(program, context);
  describeCommand(program, context);
  completionCommand(program, context);
  return quietly(program, context);
}

/**
 * Run one command line.
 *
 * @param args without the program's name
 * @returns exit code: see `Exit`
 */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  const program = buildProgram(context);
  // commander's errors do not say which command they are about
  let at = program;
  everyCommand(program, (command) => {
    command.exitOverride((error) => {
      at = command;
      throw error;
    });
  });
  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return Exit.done;
    return new Output(nameOf(at), { format: askedFormat(args) }, context.streams).error(
      argumentError(error, at),
    );
  }
}

/** Commander's complaint as an error of this project: what is wrong, and where help is. */
function argumentError(error: CommanderError, at: Command): RegulonError {
  const help = ['regulon', ...wordsOf(at), '--help'].join(' ');
  if (error.code === 'commander.help') {
    const known = at.commands.map((command) => command.name()).join(', ');
    return new RegulonError('E_ARGUMENT', `a command is missing: one of ${known}`, {
      hint: `see \`${help}\``,
    });
  }
  const [message = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean ([^?]+)\?/.exec(more.join(' '))?.[1];
  const hint = suggestion ? `did you mean ${suggestion}? See \`${help}\`` : `see \`${help}\``;
  return new RegulonError('E_ARGUMENT', message, { hint });
}

/** Commander's own texts: help goes to stdout, errors are ours to print. */
function quietly(program: Command, context: Context): Command {
  const writeOut = (text: string): void => context.streams.out(text);
  everyCommand(program, (command) => command.configureOutput({ writeOut, writeErr: () => {} }));
  return program;
}

function everyCommand(command: Command, act: (command: Command) => void): void {
  act(command);
  command.commands.forEach((child) => everyCommand(child, act));
}
