import { concatBytes } from '@regulon/shared/crypto';
import type { Dice } from '../../security/support/dice.js';
import { LIMITS } from '../harness/mutate-bytes.js';
import { changeList } from './pieces.js';

/** A field as it stands on the wire: a number, or bytes. */
interface WireField {
  readonly number: number;
  readonly value: bigint | Uint8Array;
}

/** Change a protocol buffer: fields are lost, repeated, moved, renumbered, retyped; numbers go to limits. */
export function changeProtobuf(input: Uint8Array, dice: Dice): Uint8Array {
  const fields = fieldsOf(input);
  return fields === null ? input : encoded(changeList(fields, dice, changeField), dice);
}

function changeField({ number, value }: WireField, dice: Dice): WireField {
  if (dice.chance(8)) return { number: dice.pick([0, 1, 2, 3, 4, 15, 16, 2 ** 29 - 1]), value };
  if (dice.chance(12)) return { number, value: typeof value === 'bigint' ? new Uint8Array(3) : 1n };
  if (typeof value === 'bigint') return { number, value: changeNumber(value, dice) };
  const inner = dice.chance(3) ? null : fieldsOf(value);
  if (inner !== null) return { number, value: encoded(changeList(inner, dice, changeField), dice) };
  return { number, value: changeBytes(value, dice) };
}

function changeNumber(value: bigint, dice: Dice): bigint {
  const limits = [...LIMITS.map(BigInt), 2n ** 53n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n];
  return dice.chance(3) ? value + BigInt(dice.below(3)) : dice.pick(limits);
}

function changeBytes(value: Uint8Array, dice: Dice): Uint8Array {
  switch (dice.below(5)) {
    case 0:
      return value.subarray(0, dice.below(value.length + 1));
    case 1:
      return new Uint8Array(dice.pick(LIMITS.filter((size) => size <= 65_536)));
    case 2:
      return concatBytes(value, Uint8Array.of(dice.below(256)));
    case 3:
      return Uint8Array.of(0xff, 0xc0, 0x80, 0xed, 0xa0, 0x80);
    default:
      return value.map((byte) => (dice.chance(value.length + 1) ? dice.below(256) : byte));
  }
}

/** The fields of a protocol buffer, null when it is none. */
function fieldsOf(input: Uint8Array): WireField[] | null {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint | null => {
    for (let value = 0n, shift = 0n; shift < 70n; shift += 7n) {
      const byte = input[at++];
      if (byte === undefined) return null;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return null;
  };
  while (at < input.length) {
    const [tag, number] = [varint(), varint()];
    if (tag === null || number === null || tag >> 3n > 2n ** 29n) return null;
    if ((tag & 7n) === 0n) fields.push({ number: Number(tag >> 3n), value: number });
    else if ((tag & 7n) === 2n && number <= BigInt(input.length - at)) {
      fields.push({ number: Number(tag >> 3n), value: input.subarray(at, at + Number(number)) });
      at += Number(number);
    } else return null;
  }
  return fields;
}

function encoded(fields: readonly WireField[], dice: Dice): Uint8Array {
  return concatBytes(
    ...fields.flatMap(({ number, value }) => {
      if (typeof value === 'bigint') return [varintOf(BigInt(number * 8)), varintOf(value)];
      const lie = dice.chance(40) ? BigInt(dice.pick(LIMITS)) : BigInt(value.length);
      return [varintOf(BigInt(number * 8 + 2)), varintOf(lie), value];
    }),
  );
}

function varintOf(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
  return Uint8Array.from([...bytes, Number(rest)]);
}
