import { closeSync, fstatSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { hex, MerkleHasher, rootOfHashes } from '@regulon/shared/crypto';
import { nameDiskFull, syncFolderNow } from '../disk/index.js';
import type { BlobPlace, PublishJob, WrittenBlob } from './job.js';

/** Writes a stream of bytes to a file that appears, complete and synced, under its Merkle root. For worker threads. */
class BlobWriter {
  private readonly path: string;
  private readonly file: number;
  private readonly hasher = new MerkleHasher();
  private size = 0;
  private isOpen = true;

  constructor(private readonly place: BlobPlace) {
    this.path = temporaryName(place);
    this.file = openSync(this.path, 'wx', 0o600);
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) at += writeSync(this.file, bytes, at, bytes.length - at);
    this.hasher.update(bytes);
    this.size += bytes.length;
  }

  /** Sync, rename, sync the folder. */
  finish(): WrittenBlob {
    const digest = this.hasher.root();
    fsyncSync(this.file);
    this.close();
    moveToDigest(this.path, digest, this.place);
    return { digest, size: this.size };
  }

  /** Leave nothing behind. */
  abandon(): void {
    this.close();
    rmSync(this.path, { force: true });
  }

  /** Once only: the number of a closed file may be another file's already. */
  private close(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    closeSync(this.file);
  }
}

/** A name that no other file has. */
export const temporaryName = (place: BlobPlace): string => join(place.temporary, randomUUID());

/**
 * Give a complete file the name of its digest; durable on return.
 *
 * @throws E_DISK_FULL when the volume is full; the file is then still where it was
 */
export function publish({ path, leafHashes, place }: PublishJob): WrittenBlob {
  const digest = rootOfHashes(leafHashes);
  try {
    const size = syncedSize(path);
    moveToDigest(path, digest, place);
    return { digest, size };
  } catch (error) {
    throw nameDiskFull(error);
  }
}

function syncedSize(path: string): number {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
    return fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}

function moveToDigest(path: string, digest: Uint8Array, place: BlobPlace): void {
  const name = hex(digest);
  const target = join(place.folder, name.slice(0, 2), name);
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
  renameSync(path, target);
  syncFolderNow(dirname(target));
}

/**
 * Write all pieces of a blob; a failure leaves no file.
 *
 * @returns content address of the bytes: Merkle root over 64 KiB pieces
 * @throws E_DISK_FULL when the volume is full
 */
export function writeBlob(place: BlobPlace, pieces: Iterable<Uint8Array>): WrittenBlob {
  let writer: BlobWriter | undefined;
  try {
    writer = new BlobWriter(place);
    for (const piece of pieces) writer.write(piece);
    return writer.finish();
  } catch (error) {
    writer?.abandon();
    throw nameDiskFull(error);
  }
}
