import { Worker } from 'node:worker_threads';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import type { Aggregator, Job, ResultOf } from './job.js';

/** What comes back from the worker thread. */
export interface WorkerReply {
  readonly id: number;
  readonly result?: ResultOf[Job['kind']];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** The part of a worker thread that is used. */
export interface JobThread {
  postMessage(message: { readonly id: number; readonly job: Job }): void;
  on(event: 'message', listener: (reply: WorkerReply) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

const startThread = (): JobThread => new Worker(new URL('./worker.js', import.meta.url));

/** Jobs in one worker thread that lives as long as the process: tiles, hashes and file syncs never block the event loop. */
export class WorkerAggregator implements Aggregator {
  private readonly pending = new Map<number, Pending>();
  private thread: JobThread | undefined;
  private lastId = 0;

  constructor(private readonly newThread: () => JobThread = startThread) {}

  run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    const thread = (this.thread ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      thread.postMessage({ id, job });
    });
  }

  async close(): Promise<void> {
    await this.thread?.terminate();
    this.thread = undefined;
  }

  private start(): JobThread {
    const thread = this.newThread();
    thread.on('message', ({ id, result, error }) => {
      const waiting = this.pending.get(id);
      this.pending.delete(id);
      if (error) waiting?.reject(new RegulonError(error.code, error.message));
      else waiting?.resolve(result as never);
    });
    thread.on('error', (cause) => this.lost(thread, cause));
    thread.on('exit', () => this.lost(thread, undefined));
    return thread;
  }

  /** A dead thread fails what it had; the next job starts another one, which the end of the old one does not touch. */
  private lost(thread: JobThread, cause: unknown): void {
    if (this.thread !== thread) return;
    this.thread = undefined;
    for (const { reject } of this.pending.values()) {
      reject(new RegulonError('E_INTERNAL', 'the aggregation thread ended', { cause }));
    }
    this.pending.clear();
  }
}
