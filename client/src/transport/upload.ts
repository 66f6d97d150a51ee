/** Resumable upload of a stored masked vector: lease, stream from where the coordinator is, commit, receipt. */
import { open, type FileHandle } from 'node:fs/promises';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { CHUNK_BYTES, FRAME_CHUNK, FRAME_COMMIT, uploadIdOf } from '@regulon/shared/wire';
import { Backoff, pause } from './backoff.js';
import type { BulkClient, PutStream } from './bulk-client.js';
import type { ConnectionOptions, CoordinatorLink, UploadJob } from './connection-types.js';
import { failureOf } from './grpc-errors.js';

const OFFSET_KEY = 'regulon-offset';
const DEFAULT_TIME_MS = 24 * 3_600_000;
/** In a row: the coordinator may start again between its key and the stream, but not for ever. */
const MOST_BOX_KEYS = 5;
type Leases = Pick<CoordinatorLink, 'exchange'>;

/**
 * Send a stored file until the coordinator has committed it. Only the bytes of this file are ever sent.
 *
 * @returns the coordinator's receipt, 64 bytes
 * @throws E_UPLOAD_ROOT, E_SIG_R2, E_STATE: the coordinator refuses; E_DEADLINE; the signal's reason
 */
export async function uploadFile(
  leases: Leases,
  bulk: BulkClient,
  job: UploadJob,
  options: ConnectionOptions,
): Promise<Uint8Array> {
  const now = options.now ?? Date.now;
  const deadlineMs = job.deadlineMs ?? now() + DEFAULT_TIME_MS;
  const uploadId = uploadIdOf(job.ctx, job.h2, options.site);
  const backoff = new Backoff(options.random);
  const file = await open(job.path, 'r');
  try {
    for (let furthest = -1, renewals = 0; ;) {
      const leaseId = await acquireLease(leases, job, deadlineMs, now);
      let reached = 0;
      const onOffset = (offset: number): void => void (reached = offset);
      try {
        const subject = { ctx: job.ctx, uploadId, leaseId, offset: 0 };
        return await sendFile(
          await bulk.put(subject, { deadlineMs, signal: job.signal }),
          file,
          job,
          onOffset,
        );
      } catch (cause) {
        renewals = throwIfFinal(cause, bulk, job.signal, renewals);
        if (now() >= deadlineMs)
          throw new RegulonError('E_DEADLINE', 'the upload did not end in time', { cause });
        if (reached > furthest) backoff.reset();
        furthest = Math.max(furthest, reached);
        await backoff.wait(job.signal);
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * @param renewals how often in a row a new box key was asked for, which helps after a restart of the coordinator
 * @returns their number now
 */
function throwIfFinal(
  cause: unknown,
  bulk: BulkClient,
  signal: AbortSignal | undefined,
  renewals: number,
): number {
  signal?.throwIfAborted();
  const { error, connectionLost } = failureOf(cause, bulk.where);
  if (isRegulonError(error, 'E_SEAL') && renewals < MOST_BOX_KEYS) {
    bulk.forgetBoxKey();
    return renewals + 1;
  }
  if (connectionLost || isRegulonError(error, 'E_UPLOAD') || isRegulonError(error, 'E_LEASE')) return 0;
  throw error;
}

async function acquireLease(
  leases: Leases,
  job: UploadJob,
  deadlineMs: number,
  now: () => number,
): Promise<Uint8Array> {
  const { run, round, attempt, signal } = job;
  for (;;) {
    const timeoutMs = deadlineMs - now();
    if (timeoutMs <= 0) throw new RegulonError('E_DEADLINE', 'no place to upload came free in time');
    const call = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
    const lease = await leases.exchange({ type: 'acquireLease', run, round, attempt }, call);
    if (lease.leaseId.length === 16) return lease.leaseId;
    await pause(Math.min(Math.max(lease.retryAfterMs, 10), timeoutMs), signal);
  }
}

async function sendFile(
  stream: PutStream,
  file: FileHandle,
  job: UploadJob,
  onOffset: (offset: number) => void,
): Promise<Uint8Array> {
  const { call, up, opened, answer } = stream;
  const failed = answer.then(
    () => undefined,
    () => undefined,
  );
  let over = false;
  void failed.then(() => (over = true));
  try {
    const { size } = await file.stat();
    let offset = startOf((await opened).get(OFFSET_KEY)[0], size);
    // two buffers in turn: one is sealed (which copies it) while the other is read
    const buffers = [Buffer.allocUnsafe(CHUNK_BYTES), Buffer.allocUnsafe(CHUNK_BYTES)] as const;
    let next = readChunk(file, offset, size, buffers[0]);
    for (let turn = 1; offset < size && !over; turn ^= 1) {
      const chunk = await next;
      const end = offset + chunk.length;
      next = readChunk(file, end, size, buffers[turn]!);
      if (!call.write(up.seal({ kind: FRAME_CHUNK, last: end === size, offset }, chunk))) {
        await Promise.race([drained(call), failed]);
      }
      offset = end;
      onOffset(offset);
      job.onProgress?.(offset, size);
    }
    if (!over) call.write(up.seal({ kind: FRAME_COMMIT, last: true, offset: size }, job.commit));
    if (!over) call.end();
    return Uint8Array.from(await answer);
  } finally {
    if (!over) call.cancel();
    await failed;
  }
}

function startOf(value: string | Buffer | undefined, size: number): number {
  const offset = typeof value === 'string' ? Number(value) : NaN;
  const whole = Number.isSafeInteger(offset) && (offset % CHUNK_BYTES === 0 || offset === size);
  if (whole && offset >= 0 && offset <= size) return offset;
  throw new RegulonError('E_MESSAGE', 'the coordinator names no usable offset for the upload');
}

async function readChunk(file: FileHandle, offset: number, size: number, buffer: Buffer): Promise<Buffer> {
  const chunk = buffer.subarray(0, Math.min(CHUNK_BYTES, size - offset));
  for (let done = 0; done < chunk.length;) {
    const { bytesRead } = await file.read(chunk, done, chunk.length - done, offset + done);
    if (bytesRead === 0) throw new RegulonError('E_STATE_DB', 'the stored upload became shorter');
    done += bytesRead;
  }
  return chunk;
}

const drained = (call: PutStream['call']): Promise<void> =>
  new Promise((resolve) => call.once('drain', resolve));
