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

/** Jobs in one worker thread that lives as long as the process: tiles, hashes and file syncs never block the event loop. */
export class WorkerAggregator implements Aggregator {
  private readonly pending = new Map<number, Pending>();
  private worker: Worker | undefined;
  private lastId = 0;

  run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    const worker = (this.worker ??= this.start());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      worker.postMessage({ id, job });
    });
  }

  async close(): Promise<void> {
    await this.worker?.terminate();
    this.worker = undefined;
  }

  private start(): Worker {
    const worker = new Worker(new URL('./worker.js', import.meta.url));
    worker.on('message', ({ id, result, error }: WorkerReply) => {
      const waiting = this.pending.get(id);
      this.pending.delete(id);
      if (error) waiting?.reject(new RegulonError(error.code, error.message));
      else waiting?.resolve(result as never);
    });
    worker.on('error', (cause) => this.lost(cause));
    worker.on('exit', () => this.lost(undefined));
    return worker;
  }

  /** A dead thread fails what it had; the next job starts another one. */
  private lost(cause: unknown): void {
    this.worker = undefined;
    for (const { reject } of this.pending.values()) {
      reject(new RegulonError('E_INTERNAL', 'the aggregation thread ended', { cause }));
    }
    this.pending.clear();
  }
}
