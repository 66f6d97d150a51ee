import { concatBytes } from '@regulon/shared/crypto';

/** One tensor of a file: float32, row-major. */
export interface NamedTensor {
  readonly name: string;
  readonly shape: readonly number[];
  /** first of its numbers, and how many */
  readonly offset: number;
  readonly size: number;
}

/** Headers end at a multiple of so many bytes. */
const ALIGNMENT = 8;

/**
 * A safetensors file of float32 tensors; the same tensors give the same bytes.
 *
 * @param weights little-endian float32 of all tensors, in their order without gap
 * @param metadata texts that the file carries
 * @see https://github.com/huggingface/safetensors, Format
 */
export function safetensorsOf(
  tensors: readonly NamedTensor[],
  weights: Uint8Array,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const members = tensors.map(({ name, shape, offset, size }) => [
    name,
    { dtype: 'F32', shape, data_offsets: [4 * offset, 4 * (offset + size)] },
  ]);
  const about = Object.keys(metadata).length === 0 ? {} : { __metadata__: metadata };
  const text = JSON.stringify({ ...about, ...(Object.fromEntries(members) as object) });
  const unpadded = new TextEncoder().encode(text);
  const header = new Uint8Array(Math.ceil(unpadded.length / ALIGNMENT) * ALIGNMENT).fill(0x20);
  header.set(unpadded);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  return concatBytes(length, header, weights);
}
