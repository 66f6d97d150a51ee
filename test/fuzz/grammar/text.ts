import type { Dice } from '../../security/support/dice.js';
import { changeList } from './pieces.js';

/** Change a text of lines: lines and words are lost, repeated, moved or replaced by words of the format. */
export function changeLines(words: readonly string[]): (input: Uint8Array, dice: Dice) => Uint8Array {
  const changeWord = (word: string, dice: Dice): string => {
    const at = dice.below(word.length + 1);
    if (dice.chance(2)) return dice.pick(words);
    return dice.chance(2)
      ? word.slice(0, at) + dice.pick(words) + word.slice(at)
      : word.slice(0, at) + word.slice(at + 1);
  };
  return (input, dice) => {
    const lines = new TextDecoder().decode(input).split('\n');
    const changed = changeList(lines, dice, (line) =>
      changeList(line.split(' '), dice, changeWord).join(' '),
    );
    return new TextEncoder().encode(changed.join('\n'));
  };
}
