import type { CommandRow, CommandTable } from '../command-table/index.js';

/** A place on the command line: after `regulon`, after a group, or after a command. */
export interface Place {
  /** words typed so far, e.g. `run submit`; empty after the program */
  readonly words: string;
  /** words that may follow */
  readonly next: readonly { readonly word: string; readonly description: string }[];
  /** the command that these words name, if they name one */
  readonly command: CommandRow | null;
}

/** Every place of a command table, the program first. */
export function placesOf({ groups, commands }: CommandTable): Place[] {
  const known = [
    ...groups.map(({ group, description }) => ({ name: group, description, command: null })),
    ...commands.map((command) => ({ name: command.command, description: command.description, command })),
  ].map((entry) => ({ ...entry, words: entry.name.split('.') }));
  const below = (parent: string): Place['next'] =>
    known
      .filter(({ words }) => words.slice(0, -1).join('.') === parent)
      .map(({ words, description }) => ({ word: words.at(-1) ?? '', description }));
  return [
    { words: '', next: below(''), command: null },
    ...known.map(({ name, words, command }) => ({ words: words.join(' '), next: below(name), command })),
  ];
}

const PATHS = new Set(['file', 'files', 'dir', 'plan']);

/** Whether a value of this name is a path. */
export const isPath = (value: string | null): boolean => value !== null && PATHS.has(value);

/** What may stand where an argument of a command is expected: its choices are words, paths are files. */
export const takesPath = (command: CommandRow | null): boolean =>
  command?.arguments.some(({ name }) => isPath(name)) ?? false;

/** Text as one word of bash and zsh, in single quotes. */
export const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
