import type { MaskEngine, TileSource } from './mask-engine.js';
import type { MaskKey } from './mask-keys.js';
import type { RingBits } from './ring-kernel.js';

/** One tile of all uploads. */
export interface FoldInput {
  /** the same tile of the survivors' uploads, each as long as the accumulator; read one after the other */
  readonly spools: readonly TileSource[];
  /** streams of `unmaskKeys`; pass the same array for all tiles */
  readonly masks: readonly MaskKey[];
  /** offset of the tile in the vector, a multiple of 16 */
  readonly byteOffset: number;
  readonly ringBits: RingBits;
}

/**
 * Sum one tile over the survivors and take the masks off: accumulator += Σ spools ± Σ streams.
 *
 * The coordinator and the verifier of an audit run this same code; tiles may be done in any order and on any thread.
 *
 * @param accumulator zeros, or a partial sum of the same tile, at most TILE_BYTES; holds the result
 */
export function foldAndUnmaskTile(accumulator: Uint8Array, input: FoldInput, engine: MaskEngine): void {
  const { spools, masks, byteOffset, ringBits } = input;
  engine.combine(accumulator, { byteOffset, bits: ringBits, addends: spools, masks });
}
