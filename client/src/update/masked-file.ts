import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type MaskEngine, type MaskKey, TILE_BYTES } from '@regulon/shared/secagg';
import { diskError } from '../state/index.js';

/** A stored masked vector; only these bytes may ever leave. */
export interface MaskedVector {
  /** Merkle root over 64 KiB pieces, 32 bytes */
  readonly root: Uint8Array;
  /** L, ring words */
  readonly length: number;
}

/** How a vector is written. */
export interface MaskedWriting {
  readonly path: string;
  /** L, ring words */
  readonly length: number;
  readonly ringBits: 32 | 64;
  readonly masks: readonly MaskKey[];
  readonly engine: MaskEngine;
  /** Put the plain words of `[byteOffset, byteOffset + tile.length)` into the zeroed tile; called in order. */
  readonly fill: (tile: Uint8Array, byteOffset: number) => Promise<void> | void;
}

/**
 * Stream plain words tile by tile through the masks into a file; durable and complete, or not there at all.
 *
 * Memory is one tile, whatever the model.
 *
 * @throws E_DISK_FULL; no file is left behind
 */
export async function writeMasked(writing: MaskedWriting): Promise<MaskedVector> {
  const { path, length, ringBits, masks, engine, fill } = writing;
  const size = (length * ringBits) / 8;
  const hasher = new MerkleHasher();
  const part = `${path}.part`;
  const buffer = new Uint8Array(Math.min(TILE_BYTES, size));
  try {
    const file = await open(part, 'w', 0o600);
    try {
      for (let offset = 0; offset < size; offset += TILE_BYTES) {
        const tile = buffer.subarray(0, Math.min(TILE_BYTES, size - offset));
        tile.fill(0);
        await fill(tile, offset);
        engine.maskTile(tile, offset, masks, ringBits);
        hasher.update(tile);
        await writeAll(file, tile);
      }
      await file.sync();
    } finally {
      await file.close();
      buffer.fill(0);
    }
    await rename(part, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(part, { force: true });
    throw diskError('masked vector', error);
  }
  return { root: hasher.root(), length };
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

/** Make a rename durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

type Writable = Awaited<ReturnType<typeof open>>;

async function writeAll(file: Writable, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at);
    at += bytesWritten;
  }
}
