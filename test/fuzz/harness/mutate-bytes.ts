import { concatBytes } from '@regulon/shared/crypto';
import type { Dice } from '../../security/support/dice.js';

/** What byte changes may draw on. */
export interface ByteSource {
  /** other inputs, for pieces of them */
  readonly pool: readonly Uint8Array[];
  readonly words: readonly Uint8Array[];
  readonly maxBytes: number;
}

/** Values at which lengths, counts and indexes are most often handled wrongly. */
export const LIMITS: readonly number[] = [
  ...[0, 1, 2, 16, 31, 32, 33, 64, 127, 128, 129, 254, 255, 256, 257, 1023, 1024, 1025, 4095, 4096],
  ...[32_767, 32_768, 65_535, 65_536, 65_537, 2 ** 24, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1],
];

type Change = (input: Uint8Array, dice: Dice, source: ByteSource) => Uint8Array;

const changes: readonly Change[] = [
  flipBit,
  setByte,
  setInteger,
  setInteger,
  truncate,
  remove,
  repeat,
  splice,
  insertWord,
  insertRandom,
  blowUp,
];

/** A changed copy: one to four changes of bits, integers, pieces or length. @returns at most `maxBytes` bytes */
export function mutateBytes(input: Uint8Array, dice: Dice, source: ByteSource): Uint8Array {
  let bytes: Uint8Array = input.slice();
  for (let count = 1 + dice.below(4); count > 0; count--) bytes = dice.pick(changes)(bytes, dice, source);
  return bytes.subarray(0, source.maxBytes);
}

const place = (bytes: Uint8Array, dice: Dice): number => dice.below(bytes.length + 1);

function range(bytes: Uint8Array, dice: Dice): [number, number] {
  const from = place(bytes, dice);
  return [from, Math.min(bytes.length, from + 1 + dice.below(dice.chance(2) ? 8 : 256))];
}

function flipBit(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = place(bytes, dice);
  if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
  return bytes;
}

function setByte(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = place(bytes, dice);
  if (at < bytes.length) bytes[at] = dice.pick([0, 1, 0x7f, 0x80, 0xff, dice.below(256)]);
  return bytes;
}

/** A lie about a length: an integer at a limit, 2 to 8 bytes, either end first. */
function setInteger(bytes: Uint8Array, dice: Dice): Uint8Array {
  const width = dice.pick([2, 4, 4, 8]);
  if (bytes.length < width) return bytes;
  const at = dice.below(bytes.length - width + 1);
  const near = dice.chance(4) ? bytes.length - at + dice.below(5) - 2 : dice.pick(LIMITS);
  const integer = new DataView(new ArrayBuffer(8));
  integer.setBigUint64(0, BigInt(Math.max(0, near)));
  const value = new Uint8Array(integer.buffer, 8 - width);
  bytes.set(dice.chance(3) ? value.toReversed() : value, at);
  return bytes;
}

function truncate(bytes: Uint8Array, dice: Dice): Uint8Array {
  return bytes.slice(0, place(bytes, dice));
}

function remove(bytes: Uint8Array, dice: Dice): Uint8Array {
  const [from, to] = range(bytes, dice);
  return concatBytes(bytes.subarray(0, from), bytes.subarray(to));
}

function repeat(bytes: Uint8Array, dice: Dice): Uint8Array {
  const [from, to] = range(bytes, dice);
  return concatBytes(bytes.subarray(0, to), bytes.subarray(from));
}

/** A piece of another input in the place of a piece of this one. */
function splice(bytes: Uint8Array, dice: Dice, { pool }: ByteSource): Uint8Array {
  const other = dice.pick(pool);
  const [from, to] = range(bytes, dice);
  const [a, b] = range(other, dice);
  return concatBytes(bytes.subarray(0, from), other.subarray(a, b), bytes.subarray(to));
}

function insertWord(bytes: Uint8Array, dice: Dice, { words }: ByteSource): Uint8Array {
  if (words.length === 0) return flipBit(bytes, dice);
  const at = place(bytes, dice);
  return concatBytes(bytes.subarray(0, at), dice.pick(words), bytes.subarray(at + (dice.chance(2) ? 4 : 0)));
}

function insertRandom(bytes: Uint8Array, dice: Dice): Uint8Array {
  const at = place(bytes, dice);
  const noise = Uint8Array.from({ length: 1 + dice.below(16) }, () => dice.below(256));
  return concatBytes(bytes.subarray(0, at), noise, bytes.subarray(at));
}

/** A piece many times over: what is slow or deep shows itself. */
function blowUp(bytes: Uint8Array, dice: Dice, { maxBytes }: ByteSource): Uint8Array {
  const [from, to] = range(bytes, dice);
  const piece = bytes.subarray(from, to);
  if (piece.length === 0 || !dice.chance(8)) return repeat(bytes, dice);
  const count = Math.floor((maxBytes - bytes.length) / piece.length / (1 + dice.below(8)));
  const pieces = Array.from({ length: Math.max(0, Math.min(count, 65_536)) }, () => piece);
  return concatBytes(bytes.subarray(0, to), ...pieces, bytes.subarray(to));
}
