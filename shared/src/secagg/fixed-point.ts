import { RegulonError } from '../errors/index.js';
import type { RingBits } from './ring-kernel.js';

const TWO32 = 2 ** 32;
const TWO52 = 2 ** 52;

/**
 * Fixed-point elements of the 64-bit ring: round-half-even(v·2^f), two's complement, little-endian.
 *
 * What is out of bounds is clamped and counted, not refused: a refusal would tell the coordinator something.
 *
 * @param values float64, shape [k]
 * @param fractionBits f, 0 to 40
 * @param bound B, the largest |v| of one site; NaN becomes 0
 * @returns 8·k bytes, and how many values were clamped
 * @throws E_RING_BOUND if B·2^f is not below 2⁶³
 */
export function encodeFixed(
  values: Float64Array,
  fractionBits: number,
  bound: number,
): { words: Uint8Array; clamped: number } {
  const scale = 2 ** fractionBits;
  if (!(bound * scale < 2 ** 63))
    throw new RegulonError('E_RING_BOUND', 'a bound does not fit the 64-bit ring');
  const words = new Uint32Array(2 * values.length);
  let clamped = 0;
  for (let k = 0; k < values.length; k++) {
    let value = values[k] ?? 0;
    if (!(Math.abs(value) <= bound)) {
      clamped++;
      value = Number.isNaN(value) ? 0 : Math.sign(value) * bound;
    }
    const scaled = roundHalfEven(value * scale);
    const high = Math.floor(scaled / TWO32);
    words[2 * k] = scaled - high * TWO32;
    words[2 * k + 1] = high;
  }
  return { words: new Uint8Array(words.buffer), clamped };
}

/** Values of 64-bit ring bytes, rounded once to float64. @param bytes 8·k bytes @returns shape [k]; the caller owns it */
export function decodeFixed(bytes: Uint8Array, fractionBits: number): Float64Array {
  const scale = 2 ** fractionBits;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const out = new Float64Array(bytes.length / 8);
  for (let k = 0; k < out.length; k++) {
    out[k] = (view.getInt32(8 * k + 4, true) * TWO32 + view.getUint32(8 * k, true)) / scale;
  }
  return out;
}

/**
 * Ring bytes of some integers: the weight and the extras behind the vector.
 *
 * @throws E_INTERNAL if one is no safe integer or does not fit the ring
 */
export function packIntegers(integers: readonly number[], bits: RingBits): Uint8Array {
  const out = new DataView(new ArrayBuffer((integers.length * bits) / 8));
  integers.forEach((value, k) => {
    const fits = Number.isSafeInteger(value) && (bits === 64 || (value >= -(2 ** 31) && value < 2 ** 31));
    if (!fits) throw new RegulonError('E_INTERNAL', `the integer ${k} behind a vector does not fit the ring`);
    if (bits === 32) out.setInt32(4 * k, value, true);
    else out.setBigInt64(8 * k, BigInt(value), true);
  });
  return new Uint8Array(out.buffer);
}

/** Signed integers of ring bytes; above 2⁵³ rounded to float64. */
export function unpackIntegers(bytes: Uint8Array, bits: RingBits): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return Array.from({ length: (bytes.length * 8) / bits }, (_, k) =>
    bits === 32 ? view.getInt32(4 * k, true) : Number(view.getBigInt64(8 * k, true)),
  );
}

/** Nearest integer, halves to even; doubles from 2⁵² on are integers. */
function roundHalfEven(value: number): number {
  if (Math.abs(value) >= TWO52) return value;
  return value < 0 ? value - TWO52 + TWO52 : value + TWO52 - TWO52;
}
