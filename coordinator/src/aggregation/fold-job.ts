import { RegulonError } from '@regulon/shared/errors';
import { foldAndUnmaskTile, MaskEngine, TILE_BYTES } from '@regulon/shared/secagg';
import { writeBlob } from './blob-writer.js';
import { type FileReader, withFiles } from './file-reader.js';
import type { FoldJob, WrittenBlob } from './job.js';

let engine: MaskEngine | undefined;

/**
 * Sum the masked vectors of the survivors and remove the masks, in tiles: memory does not depend on the vector.
 *
 * @returns the blob of the sum, extras included; its digest is aggRoot
 * @throws E_UPLOAD_ROOT when a spool has another length
 * @see secagg.md §7: the auditor repeats exactly this
 */
export function fold(job: FoldJob): WrittenBlob {
  return withFiles(job.spools, (files) => {
    const size = job.length * (job.ringBits / 8);
    const wrong = files.findIndex((file) => file.size !== size);
    if (wrong >= 0)
      throw new RegulonError(
        'E_UPLOAD_ROOT',
        'a stored upload has another length than it was committed with',
      );
    return writeBlob(job.place, foldedTiles(job, files, size));
  });
}

function* foldedTiles(job: FoldJob, files: readonly FileReader[], size: number): Generator<Uint8Array> {
  engine ??= new MaskEngine();
  const sum = new Uint8Array(TILE_BYTES);
  const inputs = files.map(() => new Uint8Array(TILE_BYTES));
  for (let offset = 0; offset < size; offset += TILE_BYTES) {
    const count = Math.min(TILE_BYTES, size - offset);
    const tile = sum.subarray(0, count).fill(0);
    const pieces = files.map((file, i) => {
      const piece = (inputs[i] as Uint8Array).subarray(0, count);
      file.read(piece, offset);
      return piece;
    });
    const { masks, ringBits } = job;
    foldAndUnmaskTile(tile, { spools: pieces, masks, byteOffset: offset, ringBits }, engine);
    yield tile;
  }
}
