/** Names and file operations of the spool: `<folder>/<run>/<round>-<attempt>/<site>.<uploadId>.part` and `<site>.ok`. */
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, statfs, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes, hex, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES } from '@regulon/shared/wire';
import { isDiskFull, syncFolder, systemCode } from '../disk/index.js';
import type { SiteId } from './ports.js';

/** Names the attempt that a file belongs to. */
export interface AttemptRef {
  readonly runId: Uint8Array;
  readonly round: number;
  readonly attempt: number;
}

/** Whether two names are of one attempt. */
export const isSameAttempt = (a: AttemptRef, b: AttemptRef): boolean =>
  a.round === b.round && a.attempt === b.attempt && equalBytes(a.runId, b.runId);

/** Folder of all files of an attempt. */
export const attemptFolder = (folder: string, { runId, round, attempt }: AttemptRef): string =>
  join(folder, hex(runId), `${round}-${attempt}`);

/** Where an upload lies until it is committed. */
export const partPath = (folder: string, ref: AttemptRef & { site: SiteId }, uploadId: Uint8Array): string =>
  join(attemptFolder(folder, ref), `${ref.site}.${hex(uploadId)}.part`);

/** Where the committed upload of a site lies. */
export const committedPath = (folder: string, ref: AttemptRef & { site: SiteId }): string =>
  join(attemptFolder(folder, ref), `${ref.site}.ok`);

/** A part file with the Merkle hashes of what it holds. */
export interface PartFile {
  readonly file: FileHandle;
  readonly hasher: MerkleHasher;
  readonly size: number;
}

/**
 * Open a part file for appending: make it, or cut it to whole chunks and hash again what is there.
 *
 * @param fullSize bytes of the complete upload; a complete file is not cut, a longer one begins anew
 */
export async function openPart(path: string, fullSize: number): Promise<PartFile> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const present = (await file.stat()).size;
    const whole = present === fullSize ? present : present - (present % CHUNK_BYTES);
    const size = whole > fullSize ? 0 : whole;
    if (size !== present) await file.truncate(size);
    return { file, hasher: await hashOf(file, size), size };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Merkle hashes of the first bytes of a file, read in chunks so that the event loop stays free. */
async function hashOf(file: FileHandle, size: number): Promise<MerkleHasher> {
  const hasher = new MerkleHasher();
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size));
  for (let position = 0; position < size;) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, size - position), position);
    if (bytesRead === 0) throw new RegulonError('E_UPLOAD', 'a part file became shorter while it was read');
    hasher.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
  return hasher;
}

/** Size and Merkle root of a file, or undefined when it is missing. */
export async function rootOfFile(path: string): Promise<{ size: number; root: Uint8Array } | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const { size } = await file.stat();
    return { size, root: (await hashOf(file, size)).root() };
  } finally {
    await file.close();
  }
}

/** Make a file durable under its final name: fsync, rename, fsync of the folder. The caller closes it. */
export async function publish(file: FileHandle, from: string, to: string): Promise<void> {
  await file.sync();
  await rename(from, to);
  await syncFolder(dirname(to));
}

/** Remove what is there; a missing file is no error. */
export const remove = (path: string): Promise<void> => rm(path, { recursive: true, force: true });

/** E_DISK_FULL for a full or failing disk, anything else as it is. */
export function diskError(error: unknown, path: string): unknown {
  const code = systemCode(error);
  if (!isDiskFull(error) && code !== 'EIO') return error;
  return new RegulonError('E_DISK_FULL', `cannot write to the spool folder ${dirname(path)} (${code})`, {
    cause: error,
  });
}

/**
 * Check the free space before a round is opened.
 *
 * @param bytes what the round will write: n × the size of one upload
 * @throws E_DISK_FULL when less than 1.1 × that is free
 */
export async function assertFreeSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes * 1.1) return;
  const mb = (n: number): string => `${Math.ceil(n / 1e6)} MB`;
  throw new RegulonError(
    'E_DISK_FULL',
    `the round needs ${mb(bytes * 1.1)} in ${folder}, ${mb(free)} are free`,
  );
}

/** A file from an offset on, `size` bytes at a time, the last time fewer; one buffer is used over and over. */
export async function* chunksOf(path: string, start: number, size: number): AsyncGenerator<Uint8Array> {
  const file = await open(path, 'r');
  try {
    const chunk = Buffer.allocUnsafe(size);
    for (let position = start; ;) {
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(chunk, filled, size - filled, position + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      if (filled > 0) yield chunk.subarray(0, filled);
      if (filled < size) return;
      position += filled;
    }
  } finally {
    await file.close();
  }
}
