import { equalBytes } from '@regulon/shared/crypto';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { CommitRow, ExpectedUpload, SpoolContext, UploadSession } from './ports.js';
import { diskError, isSameAttempt, publish, remove, type AttemptRef, type PartFile } from './spool-files.js';

const PROGRESS_EVERY_MS = 1_000;

type StreamEnd = 'suspended' | 'committed' | 'lost';

/** What one stream writes to, and whom it tells. */
export interface SpoolStream {
  readonly expected: ExpectedUpload;
  readonly uploadId: Uint8Array;
  readonly part: PartFile;
  readonly paths: { readonly part: string; readonly ok: string };
  /** counts bytes against the quota of the upload; throws E_BUSY */
  readonly meter: (bytes: number) => void;
  /** the file is let go of; called once; `lost` when the disk refused bytes of it, which is not the site's doing */
  readonly release: (end: StreamEnd) => void;
}

/** One stream that writes one part file. */
export class SpoolSession implements UploadSession {
  private readonly abort = new AbortController();
  private pending: Promise<unknown> = Promise.resolve();
  private end: number;
  private closed = false;
  private committing: Promise<Uint8Array> | undefined;
  private progressAtMs = 0;

  constructor(
    private readonly context: SpoolContext,
    private readonly stream: SpoolStream,
  ) {
    this.end = stream.part.size;
  }

  get ctx(): Uint8Array {
    return this.stream.expected.ctx;
  }
  get size(): number {
    return this.stream.expected.size;
  }
  get offset(): number {
    return this.end;
  }
  get signal(): AbortSignal {
    return this.abort.signal;
  }

  belongsTo(attempt: AttemptRef): boolean {
    return isSameAttempt(this.stream.expected, attempt);
  }

  /** A newer stream takes over: stop this one and let go of the file. */
  async replace(): Promise<void> {
    this.abort.abort(new RegulonError('E_UPLOAD', 'a newer stream of the same upload took over'));
    await this.committing?.catch(() => undefined);
    await this.suspend();
  }

  /** Hashing overlaps with the write of the chunk before; at most two chunks are held. */
  async write(chunk: Uint8Array): Promise<void> {
    this.assertOpen();
    this.stream.meter(chunk.length);
    const position = this.end;
    this.end += chunk.length;
    this.stream.part.hasher.update(chunk);
    await this.settled();
    const writing = writeFully(this.stream.part, chunk, position, this.stream.paths.part);
    writing.catch(() => undefined);
    this.pending = writing;
    if (performance.now() - this.progressAtMs < PROGRESS_EVERY_MS) return;
    this.progressAtMs = performance.now();
    this.context.book.progress(this.stream.expected, this.end);
  }

  async commit(message: Uint8Array): Promise<Uint8Array> {
    this.assertOpen();
    await this.settled();
    const root = await this.verified(message);
    const held = this.stream.part.hasher.root();
    const { site } = this.stream.expected;
    if (this.end !== this.size || !equalBytes(root, held)) {
      await this.discard('the bytes do not match the signed root');
      throw new RegulonError('E_UPLOAD_ROOT', `upload of site ${site}: length or root is wrong`);
    }
    this.assertOpen();
    this.closed = true;
    this.committing = this.publish(root, message);
    return this.committing;
  }

  suspend(): Promise<void> {
    return this.letGo('suspended');
  }

  async discard(reason: string): Promise<void> {
    if (this.closed) return;
    await this.suspend();
    await remove(this.stream.paths.part);
    this.context.book.strike(this.stream.expected, reason);
  }

  private async letGo(end: StreamEnd): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await this.pending.catch(() => undefined);
    await this.stream.part.file.close();
    this.stream.release(end);
  }

  /** Row, fsync, rename, receipt: from here on a newer stream waits for the outcome. */
  private async publish(root: Uint8Array, message: Uint8Array): Promise<Uint8Array> {
    const { size } = this;
    const { uploadId, expected, part, paths, release } = this.stream;
    const { site, runId, round, attempt } = expected;
    let end: StreamEnd = 'suspended';
    try {
      await this.context.rows.committing({ uploadId, site, runId, round, attempt, root, message, size });
      await publish(part.file, paths.part, paths.ok);
      const receipt = await finishCommit(this.context, expected, { uploadId, root, message }, paths.ok);
      end = 'committed';
      return receipt;
    } catch (error) {
      throw diskError(error, paths.ok);
    } finally {
      await part.file.close();
      release(end);
    }
  }

  private assertOpen(): void {
    if (!this.closed) return;
    throw this.signal.aborted
      ? this.signal.reason
      : new RegulonError('E_STATE', 'the upload stream has ended');
  }

  /** Root of a commit message; a wrong one costs the bytes, since nobody honest signs it. */
  private async verified(message: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.context.book.verifyCommit(this.stream.expected, message);
    } catch (error) {
      if (isRegulonError(error, 'E_SIG_R2') || isRegulonError(error, 'E_MESSAGE'))
        await this.discard(error.message);
      throw error;
    }
  }

  /** All writes have reached the file. On a full disk nothing half-written stays. */
  private async settled(): Promise<void> {
    try {
      await this.pending;
    } catch (error) {
      await this.letGo('lost');
      await remove(this.stream.paths.part);
      throw error;
    }
  }
}

/** Give the receipt for a file that lies durable under its final name. */
export async function finishCommit(
  { book, rows }: SpoolContext,
  expected: ExpectedUpload,
  { uploadId, root, message }: Pick<CommitRow, 'uploadId' | 'root' | 'message'>,
  path: string,
): Promise<Uint8Array> {
  const receipt = await book.receipt(expected, root);
  await rows.committed(uploadId, receipt);
  await book.accepted(expected, { root, message, path });
  return receipt;
}

async function writeFully(
  { file }: PartFile,
  chunk: Uint8Array,
  position: number,
  path: string,
): Promise<void> {
  try {
    for (let done = 0; done < chunk.length;) {
      done += (await file.write(chunk, done, chunk.length - done, position + done)).bytesWritten;
    }
  } catch (error) {
    throw diskError(error, path);
  }
}
