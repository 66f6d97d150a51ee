import type { Argument, Command, Option } from 'commander';

/** What a command changes: nothing, files on this machine, the person's own account, or something that others see. */
export type Writes = 'nothing' | 'files' | 'account' | 'federation';

const writesOf = new WeakMap<Command, Writes>();

/** Note what a command changes; everything else about it stands in commander's own tree. */
export function marksWrites(command: Command, writes: Writes): void {
  writesOf.set(command, writes);
}

/** One argument of a command. */
export interface ArgumentRow {
  readonly name: string;
  readonly description: string;
  readonly required: boolean;
  readonly choices: readonly string[] | null;
}

/** One option of a command. */
export interface OptionRow {
  /** e.g. `--format` */
  readonly flag: string;
  readonly description: string;
  /** name of the value, or null for a switch */
  readonly value: string | null;
  readonly required: boolean;
  /** takes several values */
  readonly repeats: boolean;
  readonly choices: readonly string[] | null;
  readonly default: unknown;
}

/** One command, as `regulon describe` prints it. */
export interface CommandRow {
  /** as in the envelope, e.g. `run.show` */
  readonly command: string;
  readonly usage: string;
  readonly description: string;
  readonly writes: Writes;
  readonly arguments: readonly ArgumentRow[];
  readonly options: readonly OptionRow[];
}

/** Commands that share their first word. */
export interface GroupRow {
  readonly group: string;
  readonly description: string;
}

/** Every command below a program, in the order of its help. */
export interface CommandTable {
  readonly program: string;
  readonly commands: readonly CommandRow[];
  readonly groups: readonly GroupRow[];
}

/** Words of a command below its program, e.g. `['run', 'show']`. */
export function wordsOf(command: Command): string[] {
  return command.parent ? [...wordsOf(command.parent), command.name()] : [];
}

/** The name of a command in envelopes, e.g. `run.show`; of the program itself its own. */
export function nameOf(command: Command): string {
  return wordsOf(command).join('.') || command.name();
}

/** The table of all commands, read off commander's tree. */
export function tableOf(program: Command): CommandTable {
  const all = descendants(program);
  const leaves = all.filter((command) => command.commands.length === 0);
  const groups = all.filter((command) => command.commands.length > 0);
  return {
    program: program.name(),
    commands: leaves.map(rowOf),
    groups: groups.map((group) => ({ group: nameOf(group), description: group.description() })),
  };
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function rowOf(command: Command): CommandRow {
  const args = command.registeredArguments;
  const required = command.options.filter((option) => option.mandatory).map((option) => ` ${option.flags}`);
  const placed = args.map((argument) =>
    argument.required ? ` <${argument.name()}>` : ` [${argument.name()}]`,
  );
  return {
    command: nameOf(command),
    usage: `regulon ${wordsOf(command).join(' ')}${placed.join('')}${required.join('')}`,
    description: command.description(),
    writes: writesOf.get(command) ?? 'nothing',
    arguments: args.map(argumentRow),
    options: command.options.map(optionRow),
  };
}

function argumentRow(argument: Argument): ArgumentRow {
  const { description, required, argChoices } = argument;
  return { name: argument.name(), description, required, choices: argChoices ?? null };
}

function optionRow(option: Option): OptionRow {
  const { description, mandatory, variadic, argChoices } = option;
  const defaultValue: unknown = option.defaultValue;
  return {
    flag: option.long ?? option.flags,
    description,
    value: /[<[](.+?)(\.\.\.)?[>\]]$/.exec(option.flags)?.[1] ?? null,
    required: mandatory,
    repeats: variadic,
    choices: argChoices ?? null,
    default: defaultValue ?? null,
  };
}
