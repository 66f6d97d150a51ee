import { TILE_BYTES } from './ring-kernel.js';

/** Bytes `[lo, hi)` of a vector, `lo` on a tile border: what one thread masks or folds. */
export interface TileRange {
  readonly lo: number;
  readonly hi: number;
}

/**
 * Cut a vector into ranges of whole tiles, as equal as tiles allow; every leaf of the Merkle tree lies in one range.
 *
 * @param size bytes of the vector
 * @param parts ranges wanted, at least 1; fewer come back when there are fewer tiles, and one empty range for no bytes
 */
export function tileRanges(size: number, parts: number): TileRange[] {
  const tiles = Math.max(1, Math.ceil(size / TILE_BYTES));
  const count = Math.min(parts, tiles);
  const border = (k: number): number => Math.min(size, Math.floor((k * tiles) / count) * TILE_BYTES);
  return Array.from({ length: count }, (_, k) => ({ lo: border(k), hi: border(k + 1) }));
}
