import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { MerkleHasher } from '@regulon/shared/crypto';
import { type MaskEngine, type MaskKey, TILE_BYTES, type TileRange } from '@regulon/shared/secagg';

/** Put the plain words of `[byteOffset, byteOffset + tile.length)` into the zeroed tile; called in order. */
export type Fill = (tile: Uint8Array, byteOffset: number) => Promise<void> | void;

/** Where a range of a masked vector goes, and its masks; plain data. */
export interface RangeTarget {
  /** file of the whole vector; made when it is not there */
  readonly path: string;
  readonly range: TileRange;
  readonly ringBits: 32 | 64;
  readonly masks: readonly MaskKey[];
}

/**
 * Stream plain words tile by tile through the masks to their place in a file; one tile is held.
 *
 * @returns leaf hashes of the range
 */
export async function maskRange(
  { path, range, ringBits, masks }: RangeTarget,
  fill: Fill,
  engine: MaskEngine,
): Promise<Uint8Array[]> {
  const hasher = new MerkleHasher();
  const buffer = new Uint8Array(Math.min(TILE_BYTES, range.hi - range.lo));
  const file = await open(path, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (let offset = range.lo; offset < range.hi; offset += TILE_BYTES) {
      const tile = buffer.subarray(0, Math.min(TILE_BYTES, range.hi - offset));
      tile.fill(0);
      await fill(tile, offset);
      engine.maskTile(tile, offset, masks, ringBits);
      hasher.update(tile);
      await writeAt(file, tile, offset);
    }
  } finally {
    buffer.fill(0);
    await file.close();
  }
  hasher.root();
  return hasher.leafHashes;
}

async function writeAt(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
