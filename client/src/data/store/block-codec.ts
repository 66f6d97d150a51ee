import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { RegulonError } from '@regulon/shared/errors';
import type { Dtype } from './manifest.js';

type Numbers = Uint8Array | Uint16Array | Uint32Array | Float32Array | Float64Array;

const arrays = {
  u8: Uint8Array,
  u16: Uint16Array,
  u32: Uint32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const satisfies Record<Dtype, unknown>;

/** The smallest type that holds every number exactly; NaN needs a floating one. */
export function dtypeOf(values: Float64Array): Dtype {
  let [whole, single, max] = [true, true, 0];
  for (const x of values) {
    if (Number.isNaN(x)) whole = false;
    else {
      if (x < 0 || !Number.isInteger(x) || Object.is(x, -0)) whole = false;
      if (Math.fround(x) !== x) single = false;
      if (x > max) max = x;
    }
  }
  if (whole && max < 2 ** 32) return max < 2 ** 8 ? 'u8' : max < 2 ** 16 ? 'u16' : 'u32';
  return single ? 'f32' : 'f64';
}

/** Numbers as packed bytes. The machine's own order is little-endian wherever Node runs. */
export function packBlock(values: Float64Array): { dtype: Dtype; packed: Buffer } {
  const dtype = dtypeOf(values);
  const typed: Numbers = arrays[dtype].from(values);
  const bytes = new Uint8Array(typed.buffer, typed.byteOffset, typed.byteLength);
  return { dtype, packed: deflateRawSync(bytes, { level: 1 }) };
}

/**
 * Numbers of a block.
 *
 * @param count how many there must be; nothing larger is unpacked
 * @throws E_DATA_FORMAT when the bytes are not such a block
 */
export function unpackBlock(packed: Uint8Array, dtype: Dtype, count: number): Numbers {
  const type = arrays[dtype];
  const size = count * type.BYTES_PER_ELEMENT;
  let bytes: Buffer;
  try {
    bytes = inflateRawSync(packed, { maxOutputLength: Math.max(1, size) });
  } catch (cause) {
    throw new RegulonError('E_DATA_FORMAT', 'a block of the store cannot be unpacked', { cause });
  }
  if (bytes.length !== size) {
    throw new RegulonError('E_DATA_FORMAT', 'a block of the store has another size than its manifest says');
  }
  const own = new Uint8Array(size);
  own.set(bytes);
  return new type(own.buffer);
}
