import { Worker } from 'node:worker_threads';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import type { Job, ResultOf } from './job.js';

/** What comes back from a worker thread. */
export interface WorkerReply {
  readonly id: number;
  readonly result?: ResultOf[Job['kind']];
  readonly error?: { readonly code: ErrorCode; readonly message: string };
}

/** The part of a worker thread that is used. */
export interface JobPort {
  postMessage(message: { readonly id: number; readonly job: Job }): void;
  on(event: 'message', listener: (reply: WorkerReply) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
  terminate(): Promise<unknown>;
}

interface Pending {
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Starts a worker thread. @param script compiled `worker.js` */
export const startWorker = (script: URL = new URL('./worker.js', import.meta.url)): JobPort =>
  new Worker(script);

/** One worker thread, started with its first job; jobs run one at a time, in order. */
export class JobThread {
  private readonly pending = new Map<number, Pending>();
  private port: JobPort | undefined;
  private lastId = 0;

  constructor(private readonly start: () => JobPort) {}

  run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    const port = (this.port ??= this.open());
    const id = ++this.lastId;
    return new Promise((resolve, reject) => {
      this.pending.set(id, { resolve, reject });
      port.postMessage({ id, job });
    });
  }

  async close(): Promise<void> {
    await this.port?.terminate();
    this.port = undefined;
  }

  private open(): JobPort {
    const port = this.start();
    port.on('message', ({ id, result, error }) => {
      const waiting = this.pending.get(id);
      this.pending.delete(id);
      if (error) waiting?.reject(new RegulonError(error.code, error.message));
      else waiting?.resolve(result as never);
    });
    port.on('error', (cause) => this.lost(port, cause));
    port.on('exit', () => this.lost(port, undefined));
    return port;
  }

  /** A dead thread fails what it had; the next job starts another one, which the end of the old one does not touch. */
  private lost(port: JobPort, cause: unknown): void {
    if (this.port !== port) return;
    this.port = undefined;
    for (const { reject } of this.pending.values()) {
      reject(new RegulonError('E_INTERNAL', 'the aggregation thread ended', { cause }));
    }
    this.pending.clear();
  }
}
