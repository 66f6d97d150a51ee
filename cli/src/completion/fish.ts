import type { CommandRow, CommandTable, OptionRow } from '../command-table/index.js';
import { isPath, type Place, placesOf, takesPath } from './places.js';

/** For `regulon completion fish | source`, or as a file of fish's folder `completions`. */
export function fishScript(table: CommandTable): string {
  const places = placesOf(table);
  const say = (rest: string): string => `complete -c ${table.program} ${rest}`;
  return [
    `# completion of ${table.program} for fish: ${table.program} completion fish | source`,
    say('-f'),
    say('-l help -d "show help"'),
    ...places.flatMap((place) => placeLines(place).map(say)),
    '',
  ].join('\n');
}

function placeLines({ words, next, command }: Place): string[] {
  const here = words === '' ? [] : words.split(' ');
  const seen = here.map((word) => `__fish_seen_subcommand_from ${word}`);
  const none = next.length === 0 ? [] : [`not __fish_seen_subcommand_from ${wordsOf(next)}`];
  const condition = quotedForFish([...seen, ...none].join('; and '));
  return [
    ...next.map(({ word, description }) => `-n ${condition} -a ${word} -d ${quotedForFish(description)}`),
    ...argumentLines(command, condition),
    ...(command?.options ?? []).map((option) => optionLine(option, condition)),
  ];
}

const wordsOf = (next: Place['next']): string => next.map(({ word }) => word).join(' ');

function argumentLines(command: CommandRow | null, condition: string): string[] {
  if (takesPath(command)) return [`-n ${condition} -F`];
  const choices = command?.arguments.flatMap((argument) => argument.choices ?? []) ?? [];
  return choices.length === 0 ? [] : [`-n ${condition} -a ${quotedForFish(choices.join(' '))}`];
}

function optionLine({ flag, description, value, choices }: OptionRow, condition: string): string {
  const takes =
    value === null
      ? ''
      : choices
        ? ` -x -a ${quotedForFish(choices.join(' '))}`
        : isPath(value)
          ? ' -r -F'
          : ' -x';
  return `-n ${condition} -l ${flag.replace(/^--/, '')}${takes} -d ${quotedForFish(description)}`;
}

/** fish escapes backslash and quote inside single quotes. */
const quotedForFish = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`;
