import { concatBytes, u32 } from '@regulon/shared/crypto';
import type { Dice } from '../../security/support/dice.js';
import { LIMITS } from '../harness/mutate-bytes.js';

/** Change a byte string of length-prefixed fields (`enc`): fields are lost, repeated, exchanged, resized or emptied. */
export function changePieces(input: Uint8Array, dice: Dice): Uint8Array {
  const pieces = piecesOf(input);
  return pieces === null ? input : joined(changeList(pieces, dice, changePiece));
}

/** The fields of an `enc` byte string, null when it is none. */
export function piecesOf(input: Uint8Array): Uint8Array[] | null {
  const view = new DataView(input.buffer, input.byteOffset, input.length);
  const pieces: Uint8Array[] = [];
  let at = 0;
  while (at + 4 <= input.length) {
    const end = at + 4 + view.getUint32(at);
    if (end > input.length) return null;
    pieces.push(input.subarray(at + 4, end));
    at = end;
  }
  return at === input.length && pieces.length > 0 ? pieces : null;
}

const joined = (pieces: readonly Uint8Array[]): Uint8Array =>
  concatBytes(...pieces.flatMap((piece) => [u32(piece.length), piece]));

/** One element of a list is lost, repeated, moved, or changed. */
export function changeList<T>(list: readonly T[], dice: Dice, change: (item: T, dice: Dice) => T): T[] {
  const copy = [...list];
  if (copy.length === 0) return copy;
  const at = dice.below(copy.length);
  const item = copy[at] as T;
  switch (dice.below(8)) {
    case 0:
      copy.splice(at, 1);
      break;
    case 1:
      copy.splice(at, 0, ...Array<T>(1 + dice.below(dice.chance(8) ? 300 : 3)).fill(item));
      break;
    case 2:
      copy[at] = dice.pick(copy);
      break;
    case 3:
      copy.length = at;
      break;
    default:
      copy[at] = change(item, dice);
  }
  return copy;
}

function changePiece(piece: Uint8Array, dice: Dice): Uint8Array {
  const inner = piece.length > 8 && dice.chance(2) ? piecesOf(piece) : null;
  if (inner !== null) return joined(changeList(inner, dice, changePiece));
  if (piece.length <= 8 && dice.chance(2)) return integerOf(piece.length, dice);
  switch (dice.below(4)) {
    case 0:
      return piece.subarray(0, dice.below(piece.length + 1));
    case 1:
      return concatBytes(piece, new Uint8Array(1 + dice.below(64)));
    case 2:
      return new Uint8Array(piece.length).fill(dice.pick([0, 0xff, 0x7f, 0x80]));
    default:
      return piece.map((byte) => (dice.chance(piece.length + 1) ? dice.below(256) : byte));
  }
}

/** An integer at a limit, or the bits of a special double, in as many bytes. */
function integerOf(width: number, dice: Dice): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  if (width === 8 && dice.chance(2))
    view.setFloat64(0, dice.pick([NaN, Infinity, -Infinity, -0, 1e308, 5e-324]));
  else view.setBigUint64(0, BigInt(dice.pick([...LIMITS, 2 ** 53 - 1, 2 ** 53, 864e13])));
  return new Uint8Array(view.buffer).slice(8 - width);
}
