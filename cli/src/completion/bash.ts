import type { CommandTable } from '../command-table/index.js';
import { type Place, placesOf, takesPath } from './places.js';
import { knownWords, valueArms } from './posix.js';

/** For `source <(regulon completion bash)`; needs bash 4. */
export function bashScript(table: CommandTable): string {
  const places = placesOf(table);
  const values = valueArms(
    places,
    'compopt -o filenames; COMPREPLY=($(compgen -f -- "$cur"))',
    (words) => `COMPREPLY=($(compgen -W "${words}" -- "$cur"))`,
    ':',
  );
  return `# completion of ${table.program} for bash: source <(${table.program} completion bash)
_${table.program}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" at="" i words="" paths=""
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$at/\${COMP_WORDS[i]}" in
    ${knownWords(places)}) at="\${at:+$at }\${COMP_WORDS[i]}" ;;
    esac
  done
  case "$at $prev" in
${values.join('\n')}
  esac
  case "$at" in
${places.map(placeArm).join('\n')}
  esac
  if [[ -n $paths && $cur != -* ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  fi
}
complete -F _${table.program} ${table.program}
`;
}

function placeArm({ words, next, command }: Place): string {
  const flags = command?.options.map(({ flag }) => flag) ?? [];
  const choices = command?.arguments.flatMap((argument) => argument.choices ?? []) ?? [];
  const all = [...next.map(({ word }) => word), ...choices, ...flags, '--help'];
  return `    "${words}") words="${all.join(' ')}"${takesPath(command) ? ' paths=1' : ''} ;;`;
}
