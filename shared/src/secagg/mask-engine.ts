import { Keystream } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import type { MaskKey } from './mask-keys.js';
import { jsKernel, TILE_BYTES, wasmKernel, type RingBits, type RingKernel } from './ring-kernel.js';

/** One vector's piece of a tile: its bytes, or what writes them into the buffer that it is given. */
export type TileSource = Uint8Array | ((into: Uint8Array) => void);

interface OpenStreams {
  /** where the streams stand */
  offset: number;
  readonly streams: readonly Keystream[];
}

/**
 * Adds vectors and mask streams in the ring, tile by tile; a cipher never runs over a whole vector.
 *
 * One engine belongs to one thread. Streams stay open while tiles come in order and are sought again otherwise.
 */
export class MaskEngine {
  private readonly open = new WeakMap<readonly MaskKey[], OpenStreams>();

  /** @param kernel by default WebAssembly SIMD, or plain JavaScript where that is missing */
  constructor(private readonly kernel: RingKernel = wasmKernel() ?? jsKernel()) {}

  /** Which kernel runs: `wasm-simd` or `js`. */
  get backend(): RingKernel['name'] {
    return this.kernel.name;
  }

  /**
   * Apply mask streams to one tile in place.
   *
   * @param tile ring elements, little-endian, at most TILE_BYTES; a multiple of the element size
   * @param byteOffset of the tile in its vector, a multiple of 16
   * @param masks keep passing the same array for the tiles of one vector
   * @throws E_INTERNAL if a size is wrong
   */
  maskTile(tile: Uint8Array, byteOffset: number, masks: readonly MaskKey[], bits: RingBits): void {
    this.combine(tile, { byteOffset, masks, bits });
  }

  /** tile += other, both of one length. @throws E_INTERNAL if a size is wrong */
  addTile(tile: Uint8Array, other: Uint8Array, bits: RingBits): void {
    this.combine(tile, { byteOffset: 0, addends: [other], bits });
  }

  /**
   * tile += all addends ± all mask streams; the tile is copied in and out once.
   *
   * @throws E_INTERNAL if a size is wrong
   */
  combine(
    tile: Uint8Array,
    work: { byteOffset: number; bits: RingBits; addends?: readonly TileSource[]; masks?: readonly MaskKey[] },
  ): void {
    const { byteOffset, bits, addends = [], masks = [] } = work;
    const { accumulator, operand } = this.kernel;
    const length = tile.length;
    if (length > TILE_BYTES || length % (bits / 8) !== 0) throw wrongSize(length);
    accumulator.set(tile);
    for (const addend of addends) {
      if (typeof addend === 'function') {
        addend(length === TILE_BYTES ? operand : operand.subarray(0, length));
      } else {
        if (addend.length !== length) throw wrongSize(addend.length);
        operand.set(addend);
      }
      this.kernel.add(bits, length);
    }
    const streams = this.streamsAt(masks, byteOffset);
    for (let k = 0; k < masks.length; k++) {
      operand.set(streams[k]?.next(length) ?? operand);
      if (masks[k]?.sign === 1) this.kernel.add(bits, length);
      else this.kernel.sub(bits, length);
    }
    this.advance(masks, byteOffset + length);
    tile.set(length === TILE_BYTES ? accumulator : accumulator.subarray(0, length));
  }

  private streamsAt(masks: readonly MaskKey[], offset: number): readonly Keystream[] {
    const known = this.open.get(masks);
    if (known?.offset === offset && known.streams.length === masks.length) return known.streams;
    const streams = masks.map(({ key }) => new Keystream(key, offset));
    this.open.set(masks, { offset, streams });
    return streams;
  }

  private advance(masks: readonly MaskKey[], offset: number): void {
    const known = this.open.get(masks);
    if (known) known.offset = offset;
  }
}

function wrongSize(length: number): RegulonError {
  return new RegulonError('E_INTERNAL', `a tile of ${length} bytes cannot be added`);
}
