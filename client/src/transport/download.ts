/** Resumable download of a content-addressed blob; the file appears only complete and verified. */
import { constants } from 'node:fs';
import { mkdir, open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { equalBytes, hex, LEAF_BYTES, MerkleHasher } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES, FRAME_CHUNK } from '@regulon/shared/wire';
import { timeFor } from './allowance.js';
import { Backoff } from './backoff.js';
import type { BulkClient } from './bulk-client.js';
import type { ConnectionOptions, DownloadJob } from './connection-types.js';
import { eachMessage } from './each-message.js';
import { failureOf } from './grpc-errors.js';

/** beside the time that the bytes take on the slowest line */
const DEFAULT_TIME_MS = 3_600_000;
const NO_LEASE = new Uint8Array(16);

/**
 * Get a blob into a file. What a crash of the machine takes of it is fetched again: it is not synced, so a file that is
 * soon removed costs the disk nothing.
 *
 * @throws E_DIGEST when the bytes are not those of the digest, E_NOT_FOUND, E_DEADLINE, E_DISK_FULL
 */
export async function downloadFile(
  bulk: BulkClient,
  job: DownloadJob,
  options: ConnectionOptions,
): Promise<void> {
  const now = options.now ?? Date.now;
  const deadlineMs = job.deadlineMs ?? now() + DEFAULT_TIME_MS + timeFor(job.size);
  const part = `${job.path}.${hex(job.digest).slice(0, 16)}.part`;
  const backoff = new Backoff(options.random);
  await mkdir(dirname(job.path), { recursive: true });
  for (let beganAnew = false, resealed = false; ;) {
    try {
      return await attempt(bulk, job, part, deadlineMs);
    } catch (cause) {
      job.signal?.throwIfAborted();
      const { error, connectionLost } = failureOf(cause, bulk.where);
      if (isRegulonError(error, 'E_SEAL') && !resealed) {
        resealed = true;
        bulk.forgetBoxKey();
      } else if (isRegulonError(error, 'E_DIGEST') && error.details.resumed === true && !beganAnew) {
        beganAnew = true;
      } else if (!connectionLost) throw await cleared(error, part);
      if (now() >= deadlineMs)
        throw new RegulonError('E_DEADLINE', 'the download did not end in time', { cause });
      await backoff.wait(job.signal);
    }
  }
}

async function attempt(bulk: BulkClient, job: DownloadJob, part: string, deadlineMs: number): Promise<void> {
  const file = await open(part, constants.O_RDWR | constants.O_CREAT, 0o600);
  try {
    const { hasher, offset } = await resume(file, job.size);
    await receive(bulk, job, file, hasher, offset, deadlineMs);
    if (!equalBytes(hasher.root(), job.digest)) {
      await file.truncate(0);
      const details = { resumed: offset > 0 };
      throw new RegulonError('E_DIGEST', `the download ${hex(job.digest)} has other bytes than its digest`, {
        details,
      });
    }
  } finally {
    await file.close();
  }
  await rename(part, job.path);
}

/** Keep whole leaves of what is there. */
async function resume(file: FileHandle, size: number): Promise<{ hasher: MerkleHasher; offset: number }> {
  const present = (await file.stat()).size;
  const offset = present > size ? 0 : present - (present % LEAF_BYTES);
  if (offset !== present) await file.truncate(offset);
  const hasher = new MerkleHasher();
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let position = 0; position < offset;) {
    const { bytesRead } = await file.read(chunk, 0, Math.min(CHUNK_BYTES, offset - position), position);
    hasher.update(chunk.subarray(0, bytesRead));
    position += bytesRead;
  }
  return { hasher, offset };
}

async function receive(
  bulk: BulkClient,
  { digest, size, signal }: DownloadJob,
  file: FileHandle,
  hasher: MerkleHasher,
  start: number,
  deadlineMs: number,
): Promise<void> {
  if (start === size) return;
  const subject = { ctx: digest, uploadId: digest.subarray(0, 16), leaseId: NO_LEASE, offset: start };
  const { call, down } = await bulk.get(subject, { deadlineMs, signal });
  let offset = start;
  for await (const frame of eachMessage(call)) {
    const { header, plaintext } = down.open(frame);
    const end = offset + plaintext.length;
    if (header.kind !== FRAME_CHUNK || header.offset !== offset || end > size) {
      throw new RegulonError('E_MESSAGE', 'a piece of the download is out of place');
    }
    hasher.update(plaintext);
    await file.write(plaintext, 0, plaintext.length, offset);
    offset = end;
  }
  if (offset !== size) throw new RegulonError('E_DIGEST', `the download ended at ${offset} of ${size} bytes`);
}

/** Remove the part file after a final error; a full disk gets its name. */
async function cleared(error: Error, part: string): Promise<Error> {
  await rm(part, { force: true });
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new RegulonError('E_DISK_FULL', `no space for the download in ${dirname(part)}`, { cause: error });
}
