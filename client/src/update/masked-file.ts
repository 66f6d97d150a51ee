import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MerkleHasher, rootOfHashes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { TILE_BYTES } from '@regulon/shared/secagg';
import { diskError } from '../state/index.js';

/** A stored masked vector; only these bytes may ever leave. */
export interface MaskedVector {
  /** Merkle root over 64 KiB pieces, 32 bytes */
  readonly root: Uint8Array;
  /** L, ring words */
  readonly length: number;
}

/**
 * Write a masked vector; durable and complete, or not there at all.
 *
 * @param length L, ring words
 * @param write puts all bytes into the file that it is named @returns leaf hashes of the whole vector
 * @throws E_DISK_FULL; no file is left behind
 */
export async function writeMasked(
  path: string,
  length: number,
  write: (part: string) => Promise<readonly Uint8Array[]>,
): Promise<MaskedVector> {
  const part = `${path}.part`;
  try {
    await rm(part, { force: true });
    const root = rootOfHashes(await write(part));
    await syncFile(part);
    await rename(part, path);
    await syncFolder(dirname(path));
    return { root, length };
  } catch (error) {
    await rm(part, { force: true });
    throw diskError('masked vector', error);
  }
}

/** Root of a stored vector, to see after a restart that it is the one that was signed. @throws E_STATE_DB for a wrong size */
export async function rootOfFile(path: string, size: number): Promise<Uint8Array> {
  const hasher = new MerkleHasher();
  const buffer = new Uint8Array(TILE_BYTES);
  const file = await open(path, 'r');
  try {
    let read = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, read);
      if (bytesRead === 0) break;
      hasher.update(buffer.subarray(0, bytesRead));
      read += bytesRead;
    }
    if (read !== size) throw new RegulonError('E_STATE_DB', `${path} has ${read} bytes instead of ${size}`);
  } finally {
    await file.close();
  }
  return hasher.root();
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Make a rename durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
