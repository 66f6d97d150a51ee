import { Command, CommanderError } from 'commander';
import { RegulonError } from '@regulon/shared/errors';
import { nameOf, wordsOf } from '../command-table/index.js';
import { askedFormat, Exit, Output } from '../output/index.js';
import type { Context } from './context.js';
import { VERSION } from './version.js';

type Part = (program: Command, context: Context) => void;
/** A part of the command tree: the first words of its commands, and the module that has them. */
type LazyPart = readonly [words: readonly string[], load: () => Promise<Part>];

/** In the order of the help. Each module brings what its commands compute with, so only what is asked for is loaded. */
const PARTS: readonly LazyPart[] = [
  [['plan'], async () => (await import('./plan.js')).planCommands],
  [['run'], async () => (await import('./run.js')).runCommands],
  [['data'], async () => (await import('./data.js')).dataCommands],
  [['model'], async () => (await import('./model.js')).modelCommands],
  [['privacy'], async () => (await import('./privacy.js')).privacyCommands],
  [['audit'], async () => (await import('./audit.js')).auditCommands],
  [['accelerator'], async () => (await import('./accelerator.js')).acceleratorCommands],
  [['sim'], async () => (await import('./sim.js')).simCommands],
  [['fed'], async () => (await import('./fed.js')).fedCommands],
  [['site'], async () => (await import('./site.js')).siteCommands],
  [['account'], async () => (await import('./account.js')).accountCommands],
  [['login', 'logout', 'whoami'], async () => (await import('./login.js')).sessionCommands],
  [['doctor'], async () => (await import('./doctor.js')).doctorCommand],
  // these describe the whole tree: no words of their own
  [[], async () => (await import('./describe.js')).describeCommand],
  [[], async () => (await import('./completion.js')).completionCommand],
];

/** The command tree of `regulon`: the part that the first word names, or the whole. */
async function buildProgram([first = '']: readonly string[], context: Context): Promise<Command> {
  const program = new Command('regulon')
    .description('hospitals train one gene-expression model together; no patient data leave a hospital')
    .version(VERSION)
    .showSuggestionAfterError(true);
  if (first === '--version' || first === '-V') return quietly(program, context);
  const named = PARTS.filter(([words]) => words.includes(first));
  for (const [, load] of named.length > 0 ? named : PARTS) (await load())(program, context);
  return quietly(program, context);
}

/**
 * Run one command line.
 *
 * @param args without the program's name
 * @returns exit code: see `Exit`
 */
export async function runProgram(args: readonly string[], context: Context): Promise<number> {
  const program = await buildProgram(args, context);
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
