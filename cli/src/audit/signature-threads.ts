import { Worker } from 'node:worker_threads';
import { hex, sha256, type SignatureCheck, verifyEd25519 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { fitsRecord, recordAt, type SignatureRecord, writeRecord } from './signature-records.js';

/** What a thread is sent: records of signatures, and how many bytes of it they take. */
export interface SignatureBatch {
  readonly bytes: Uint8Array;
  readonly used: number;
  /** counts the batches that were done, over all threads */
  readonly done: Int32Array;
}

/** What a thread answers: digests of the signatures that do not verify, see `wrongRecords`. */
export type SignatureReply = readonly string[];

/** The part of a worker thread that is used. */
export interface SignatureThread {
  postMessage(batch: SignatureBatch, transfer: ArrayBuffer[]): void;
  on(event: 'message', listener: (reply: SignatureReply) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

/** Bytes of records that are sent at once. */
const BATCH_BYTES = 256 * 1024;
/** Batches on their way for each thread at most: what is verified elsewhere is never a copy of the log. */
const MOST_WAITING = 4;

/**
 * Verifies signatures in threads beside its caller, who goes on as if they held: `settle` says whether they do.
 *
 * The caller verifies some itself while all threads are busy. Threads start with the first full batch.
 */
export class SignatureThreads {
  private readonly threads: SignatureThread[] = [];
  /** digests of signatures that do not verify */
  private readonly wrong = new Set<string>();
  private readonly done = new Int32Array(new SharedArrayBuffer(4));
  private batch: Uint8Array<ArrayBuffer>;
  private used = 0;
  private sent = 0;
  private answered = 0;
  private failure: Error | undefined;
  private wake = (): void => undefined;

  /** @param count threads beside the caller's, 1 or more @param batchBytes of records that are sent at once */
  constructor(
    private readonly count: number,
    private readonly start: () => SignatureThread = startWorker,
    private readonly batchBytes = BATCH_BYTES,
  ) {
    this.batch = new Uint8Array(batchBytes);
  }

  /** True also for a signature that is not verified yet; false for one that was found wrong before. */
  readonly holds: SignatureCheck = (key, message, signature) => {
    const record = { key, message, signature };
    if (this.wrong.size > 0 && this.wrong.has(idOf(key, message, signature))) return false;
    if (!fitsRecord(record, this.batchBytes)) return this.here(record);
    if (!fitsRecord(record, this.batchBytes - this.used)) {
      if (this.sent - Atomics.load(this.done, 0) >= MOST_WAITING * this.count) return this.here(record);
      this.send();
    }
    this.used = writeRecord(this.batch, this.used, record);
    return true;
  };

  /**
   * Wait until everything is verified.
   *
   * @returns whether all signatures verify that were said to since the last time
   * @throws E_INTERNAL if a thread ended early
   */
  async settle(): Promise<boolean> {
    const before = this.wrong.size;
    // what is left is not worth a thread
    this.take(wrongRecords(this.batch, this.used));
    this.used = 0;
    while (this.answered < this.sent && this.failure === undefined)
      await new Promise<void>((resolve) => (this.wake = resolve));
    if (this.failure !== undefined) throw this.failure;
    return this.wrong.size === before;
  }

  async close(): Promise<void> {
    await Promise.all(this.threads.map((thread) => thread.terminate()));
  }

  /** What is found wrong here need not be found again by a thread: that would take another reading of the log. */
  private here({ key, message, signature }: SignatureRecord): boolean {
    const holds = verifyEd25519(key, message, signature);
    if (!holds) this.wrong.add(idOf(key, message, signature));
    return holds;
  }

  private send(): void {
    const thread = this.threads[this.sent % this.count] ?? this.open();
    thread.postMessage({ bytes: this.batch, used: this.used, done: this.done }, [this.batch.buffer]);
    this.sent += 1;
    this.batch = new Uint8Array(this.batchBytes);
    this.used = 0;
  }

  private open(): SignatureThread {
    const thread = this.start();
    this.threads.push(thread);
    thread.on('message', (wrong) => {
      this.take(wrong);
      this.answered += 1;
      this.wake();
    });
    const lost = (cause: unknown): void => {
      this.failure ??= new RegulonError('E_INTERNAL', 'a thread that verifies signatures ended early', {
        cause,
      });
      this.wake();
    };
    thread.on('error', lost);
    thread.on('exit', lost);
    return thread;
  }

  private take(wrong: SignatureReply): void {
    wrong.forEach((id) => this.wrong.add(id));
  }
}

/** Digests of the signatures in a batch that do not verify. @param used bytes of the batch that records take */
export function wrongRecords(batch: Uint8Array, used: number): string[] {
  const wrong: string[] = [];
  for (let at = 0; at < used;) {
    const { key, message, signature, end } = recordAt(batch, at);
    if (!verifyEd25519(key, message, signature)) wrong.push(idOf(key, message, signature));
    at = end;
  }
  return wrong;
}

const startWorker = (): SignatureThread => new Worker(new URL('./signature-worker.js', import.meta.url));

const idOf = (key: Uint8Array, message: Uint8Array, signature: Uint8Array): string =>
  hex(sha256(key, signature, message));
