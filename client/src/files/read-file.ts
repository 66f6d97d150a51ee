import { type FileHandle, open } from 'node:fs/promises';
import { MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { TILE_BYTES } from '@regulon/shared/secagg';

/** Fill a buffer from a file. @param position first byte @throws E_STATE_DB when the file ends before */
export async function readFully(file: FileHandle, buffer: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < buffer.length;) {
    const { bytesRead } = await file.read(buffer, at, buffer.length - at, position + at);
    if (bytesRead === 0) throw new RegulonError('E_STATE_DB', 'a file of this run ends early');
    at += bytesRead;
  }
}

/**
 * Root of a stored vector over 64 KiB pieces, to see after a restart that it is the one that was signed.
 *
 * @param size bytes that must be there
 * @returns 32 bytes
 * @throws E_STATE_DB for another size
 */
export async function rootOfFile(path: string, size: number): Promise<Uint8Array> {
  const hasher = new MerkleHasher();
  const buffer = new Uint8Array(TILE_BYTES);
  const file = await open(path, 'r');
  try {
    const found = (await file.stat()).size;
    if (found !== size) throw new RegulonError('E_STATE_DB', `${path} has ${found} bytes instead of ${size}`);
    for (let at = 0; at < size; at += TILE_BYTES) {
      const piece = buffer.subarray(0, Math.min(TILE_BYTES, size - at));
      await readFully(file, piece, at);
      hasher.update(piece);
    }
  } finally {
    await file.close();
  }
  return hasher.root();
}
