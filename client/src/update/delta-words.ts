import { quantiseTile, Rounding, type TileRange } from '@regulon/shared/secagg';
import { DeltaFile } from './delta-file.js';
import type { Fill } from './masked-range.js';

/** A weighted and clipped delta on its way into the ring; plain data. */
export interface DeltaWords {
  /** file with local − global, float32 little-endian [d] */
  readonly deltaPath: string;
  readonly d: number;
  /** w̃ times the clip factor */
  readonly weightScale: number;
  readonly C: number;
  readonly Q: number;
  /** key of the rounding stream, 32 bytes */
  readonly roundingKey: Uint8Array;
  /** weight and extras behind the vector, ring bytes */
  readonly tail: Uint8Array;
}

/** Integer noise of a differentially private round, added to the quantised words. */
export type Noise = (words: Int32Array, firstElement: number) => void;

/**
 * Quantise the elements of a range, and noise them; the same words whatever the ranges are.
 *
 * @param use is given what fills the tiles of the range, in order
 * @throws E_STATE_DB when the file has another size
 */
export async function withDeltaWords<T>(
  words: DeltaWords,
  { lo }: TileRange,
  use: (fill: Fill) => Promise<T>,
  noise?: Noise,
): Promise<T> {
  const { d, tail, ...quantise } = words;
  const rounding = new Rounding(words.roundingKey, lo / 4);
  const placeTail = place(tail, 4 * d);
  const delta = await DeltaFile.open(words.deltaPath, d);
  try {
    return await use(async (tile, offset) => {
      const elements = Math.max(0, Math.min(tile.length, 4 * d - offset)) / 4;
      if (elements > 0) {
        const out = new Int32Array(tile.buffer, tile.byteOffset, elements);
        quantiseTile(await delta.read(offset / 4, elements), { ...quantise, rounding }, out);
        noise?.(out, offset / 4);
      }
      placeTail(tile, offset);
    });
  } finally {
    await delta.close();
  }
}

/** Copies the part of `tail`, which begins at byte `start` of the vector, that lies in a tile. */
export function place(tail: Uint8Array, start: number): (tile: Uint8Array, offset: number) => void {
  return (tile, offset) => {
    const from = Math.max(start, offset);
    const to = Math.min(start + tail.length, offset + tile.length);
    if (from < to) tile.set(tail.subarray(from - start, to - start), from - offset);
  };
}
