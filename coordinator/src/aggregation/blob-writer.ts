import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { hex, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { BlobPlace, WrittenBlob } from './job.js';

/** Writes a stream of bytes to a file that appears, complete and synced, under its Merkle root. For worker threads. */
export class BlobWriter {
  private readonly path: string;
  private readonly file: number;
  private readonly hasher = new MerkleHasher();
  private size = 0;

  constructor(private readonly place: BlobPlace) {
    this.path = join(place.temporary, randomUUID());
    this.file = openSync(this.path, 'wx', 0o600);
  }

  /** @throws E_DISK_FULL when the volume is full */
  write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at, bytes.length - at);
    } catch (cause) {
      throw diskError(cause);
    }
    this.hasher.update(bytes);
    this.size += bytes.length;
  }

  /** Sync, rename, sync the folder. */
  finish(): WrittenBlob {
    const digest = this.hasher.root();
    const name = hex(digest);
    const target = join(this.place.folder, name.slice(0, 2), name);
    try {
      fsyncSync(this.file);
    } catch (cause) {
      throw diskError(cause);
    }
    closeSync(this.file);
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
    renameSync(this.path, target);
    syncFolder(dirname(target));
    return { digest, size: this.size };
  }

  /** Leave nothing behind. */
  abandon(): void {
    closeSync(this.file);
    rmSync(this.path, { force: true });
  }
}

/** Make a rename in this folder durable. */
export function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function diskError(cause: unknown): unknown {
  const full =
    cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return full ? new RegulonError('E_DISK_FULL', 'the volume of the state folder is full', { cause }) : cause;
}

/** Write all pieces of a blob; a failure leaves no file. */
export function writeBlob(place: BlobPlace, pieces: Iterable<Uint8Array>): WrittenBlob {
  const writer = new BlobWriter(place);
  try {
    for (const piece of pieces) writer.write(piece);
    return writer.finish();
  } catch (error) {
    writer.abandon();
    throw error;
  }
}
