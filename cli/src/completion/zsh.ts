import type { CommandTable } from '../command-table/index.js';
import { type Place, placesOf, quoted, takesPath } from './places.js';
import { knownWords, valueArms } from './posix.js';

/** For `source <(regulon completion zsh)` after `compinit`, or as `_regulon` in a folder of `fpath`. */
export function zshScript(table: CommandTable): string {
  const places = placesOf(table);
  const values = valueArms(places, '_files', (words) => `compadd -- ${words}`, '_message value');
  return `#compdef ${table.program}
# completion of ${table.program} for zsh: source <(${table.program} completion zsh)
_${table.program}() {
  local at="" word
  local -a items flags
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at/$word" in
    ${knownWords(places)}) at="\${at:+$at }$word" ;;
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${values.join('\n')}
  esac
  case "$at" in
${places.map(placeArm).join('\n')}
  esac
}
if [[ "$funcstack[1]" == "_${table.program}" ]]; then _${table.program}; else compdef _${table.program} ${table.program}; fi
`;
}

function placeArm({ words, next, command }: Place): string {
  const items = [
    ...next.map(({ word, description }) => `${word}:${description}`),
    ...(command?.arguments.flatMap((argument) => argument.choices ?? []) ?? []),
  ];
  const flags = command?.options.map(({ flag, description }) => `${flag}:${description}`) ?? [];
  const files = takesPath(command) ? '\n      [[ $PREFIX != -* ]] && _files' : '';
  return `    "${words}")
      items=(${items.map(quoted).join(' ')})
      flags=(${[...flags, '--help:show help'].map(quoted).join(' ')})
      _describe command items
      _describe -o option flags${files} ;;`;
}
