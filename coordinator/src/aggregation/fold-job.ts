import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { foldAndUnmaskTile, MaskEngine, TILE_BYTES } from '@regulon/shared/secagg';
import { nameDiskFull } from '../disk/index.js';
import { publish, temporaryName } from './blob-writer.js';
import { type FileReader, withFiles } from './file-reader.js';
import type { FoldJob, FoldRangeJob, WrittenBlob } from './job.js';

let engine: MaskEngine | undefined;

/** Bytes of the sum, and of every upload. */
export const foldedBytes = ({ length, ringBits }: Pick<FoldJob, 'length' | 'ringBits'>): number =>
  length * (ringBits / 8);

/**
 * Sum the masked vectors of the survivors and remove the masks, in tiles: memory does not depend on the vector.
 *
 * @returns the blob of the sum, extras included; its digest is aggRoot
 * @throws E_UPLOAD_ROOT when a spool has another length; E_DISK_FULL; no file is left behind
 * @see secagg.md §7: the auditor repeats exactly this
 */
export function fold({ place, ...job }: FoldJob): WrittenBlob {
  const path = temporaryName(place);
  try {
    const range = { lo: 0, hi: foldedBytes(job) };
    const leafHashes = foldRange({ ...job, kind: 'fold-range', range, output: path });
    return publish({ kind: 'publish', path, leafHashes, place });
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/**
 * The same for one range of the vector; ranges may be done in any order and by any thread.
 *
 * @returns leaf hashes of the range
 * @throws E_UPLOAD_ROOT when a spool has another length; E_DISK_FULL
 */
export function foldRange(job: FoldRangeJob): Uint8Array[] {
  return withFiles(job.spools, (spools) => {
    const size = foldedBytes(job);
    if (spools.some((spool) => spool.size !== size)) {
      throw new RegulonError(
        'E_UPLOAD_ROOT',
        'a stored upload has another length than it was committed with',
      );
    }
    try {
      return writeRange(job, spools);
    } catch (error) {
      throw nameDiskFull(error);
    }
  });
}

function writeRange(job: FoldRangeJob, spools: readonly FileReader[]): Uint8Array[] {
  const hasher = new MerkleHasher();
  const output = openSync(job.output, constants.O_WRONLY | constants.O_CREAT, 0o600);
  try {
    for (const { tile, offset } of foldedTiles(job, spools)) {
      hasher.update(tile);
      for (let at = 0; at < tile.length;) at += writeSync(output, tile, at, tile.length - at, offset + at);
    }
  } finally {
    closeSync(output);
  }
  hasher.root();
  return hasher.leafHashes;
}

/** The tiles of a range of the sum, one after the other in one buffer; every spool is read once. */
export function* foldedTiles(
  { masks, ringBits, range }: Pick<FoldRangeJob, 'masks' | 'ringBits' | 'range'>,
  spools: readonly FileReader[],
): Generator<{ tile: Uint8Array; offset: number }> {
  engine ??= new MaskEngine();
  const sum = new Uint8Array(TILE_BYTES);
  for (let offset = range.lo; offset < range.hi; offset += TILE_BYTES) {
    const tile = sum.subarray(0, Math.min(TILE_BYTES, range.hi - offset)).fill(0);
    const pieces = spools.map((spool) => (into: Uint8Array) => spool.read(into, offset));
    foldAndUnmaskTile(tile, { spools: pieces, masks, byteOffset: offset, ringBits }, engine);
    yield { tile, offset };
  }
}
