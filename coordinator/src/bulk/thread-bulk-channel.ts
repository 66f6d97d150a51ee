import { Worker } from 'node:worker_threads';
import { RegulonError } from '@regulon/shared/errors';
import type { AttemptRef, UploadStatus } from '../transport/index.js';
import type { BulkChannel, BulkOptions } from './bulk-channel.js';
import { BULK_SIDE, type BulkSide, type BulkThreadData, type CoordinatorSide } from './bulk-side.js';
import { type Message, type Offered, type Remote, ThreadPeer } from './thread-peer.js';

/** The part of a worker thread that is used. */
export interface BulkThread {
  postMessage(message: Message): void;
  on(event: 'message', listener: (message: Message) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

const startThread = (workerData: BulkThreadData): BulkThread =>
  new Worker(new URL('./worker.js', import.meta.url), { workerData });

/**
 * The bulk channel in a thread of its own (docs/adr/0009): its buffers, their collection and its TLS never hold up the
 * control channel. What it asks of the coordinator's state comes back to the calling thread.
 */
export class ThreadBulkChannel implements BulkChannel {
  /** one object for its whole life, brought up to date every second */
  readonly loop = { maxMs: 0, recentMs: 0 };
  private readonly thread: BulkThread;
  private readonly peer: ThreadPeer;
  private readonly side: Remote<BulkSide>;
  private isClosing = false;

  /** @param fatal hears of the thread's end when nobody asked for it */
  constructor(
    options: BulkOptions,
    private readonly fatal: (error: unknown) => void,
    newThread: (data: BulkThreadData) => BulkThread = startThread,
  ) {
    const { folder, members, tls, host, port } = options;
    this.thread = newThread({ folder, members, tls, host, port });
    this.peer = new ThreadPeer(this.thread, this.coordinatorSide(options), options.report);
    this.side = this.peer.remote<BulkSide>(...BULK_SIDE);
    this.thread.on('error', (cause) => this.lost(cause));
    this.thread.on('exit', () => this.lost(undefined));
  }

  listen(): Promise<number> {
    return this.side.listen();
  }

  status(site: number, uploadId: Uint8Array): Promise<UploadStatus> {
    return this.side.status(site, uploadId);
  }

  removeAttempt(attempt: AttemptRef): Promise<void> {
    return this.side.removeAttempt(attempt);
  }

  useCertificate(cert: string): Promise<void> {
    return this.side.useCertificate(cert);
  }

  async close(): Promise<void> {
    this.isClosing = true;
    await this.side.close().catch(() => undefined);
    await this.thread.terminate();
  }

  private coordinatorSide({ book, rows, boxKeys, report }: BulkOptions): Map<string, Offered> {
    const side: CoordinatorSide = {
      expected: (uploadId) => book.expected(uploadId),
      checkLease: (site, uploadId, leaseId) => book.checkLease(site, uploadId, leaseId),
      progress: (expected, offset) => book.progress(expected, offset),
      verifyCommit: (expected, message) => book.verifyCommit(expected, message),
      receipt: (expected, root) => book.receipt(expected, root),
      accepted: (expected, commit) => book.accepted(expected, commit),
      strike: (expected, reason, evidence) => book.strike(expected, reason, evidence),
      blob: (site, digestPrefix) => book.blob(site, digestPrefix),
      find: (uploadId) => rows.find(uploadId),
      committing: (row) => rows.committing(row),
      committed: (uploadId, receipt) => rows.committed(uploadId, receipt),
      clear: (uploadId) => rows.clear(uploadId),
      open: () => rows.open(),
      sharedKeys: (ephemeralKey) => boxKeys.sharedKeys(ephemeralKey),
      report,
      looped: (maxMs, recentMs) => void Object.assign(this.loop, { maxMs, recentMs }),
    };
    return new Map(Object.entries<Offered>({ ...side }));
  }

  private lost(cause: unknown): void {
    if (this.isClosing) return;
    this.isClosing = true;
    const error = new RegulonError('E_INTERNAL', 'the bulk thread ended', { cause });
    this.peer.fail(error);
    this.fatal(error);
  }
}
