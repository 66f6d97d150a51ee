import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { tileRanges } from '@regulon/shared/secagg';
import type { DeltaWords } from './delta-words.js';
import type { RangeTarget } from './masked-range.js';

/** What one thread does. */
export interface MaskJob {
  readonly words: DeltaWords;
  readonly target: RangeTarget;
}

/** What a thread says at its end. */
export type MaskReply =
  | { readonly leafHashes: readonly Uint8Array[] }
  | { readonly code: ErrorCode; readonly message: string }
  /** what the operating system refused, or nothing for a defect */
  | { readonly systemCode: string };

/** The part of a worker thread that is used. */
export interface MaskThread {
  on(event: 'message', listener: (reply: MaskReply) => void): unknown;
  on(event: 'error' | 'exit', listener: (cause: unknown) => void): unknown;
}

/** Bytes read, generated and written from which threads save more than they cost to start (docs/benchmarks.md). */
const SPREAD_BYTES = 4e9;
const MOST_THREADS = 8;

/** Masks long vectors in threads of their own, which live only for one vector; the event loop stays free. */
export class MaskThreads {
  /** @param spreadBytes vectors with less work than this stay on the calling thread */
  constructor(
    private readonly start: (job: MaskJob) => MaskThread = startWorker,
    private readonly cores = Math.min(MOST_THREADS, availableParallelism()),
    private readonly spreadBytes = SPREAD_BYTES,
  ) {}

  /** Whether threads pay for a vector. @param streams masks on it */
  pay(bytes: number, streams: number): boolean {
    return this.cores > 1 && bytes * (streams + 5) >= this.spreadBytes;
  }

  /**
   * Quantise and mask a whole vector into a file.
   *
   * @returns leaf hashes, when no thread writes any more
   * @throws what a thread throws
   */
  async mask(words: DeltaWords, target: Omit<RangeTarget, 'range'>, bytes: number): Promise<Uint8Array[]> {
    const work = tileRanges(bytes, this.cores).map((range) =>
      this.one({ words, target: { ...target, range } }),
    );
    await Promise.allSettled(work);
    return (await Promise.all(work)).flat();
  }

  private one(job: MaskJob): Promise<readonly Uint8Array[]> {
    return new Promise((resolve, reject) => {
      const thread = this.start(job);
      let reply: MaskReply | undefined;
      thread.on('message', (message) => (reply = message));
      thread.on('error', reject);
      thread.on('exit', () => {
        if (reply === undefined) reject(new RegulonError('E_INTERNAL', 'a thread that masks ended early'));
        else if ('leafHashes' in reply) resolve(reply.leafHashes);
        else reject(errorOf(reply));
      });
    });
  }
}

const startWorker = (job: MaskJob): MaskThread =>
  new Worker(new URL('./mask-worker.js', import.meta.url), { workerData: job });

function errorOf(reply: Exclude<MaskReply, { leafHashes: unknown }>): Error {
  if ('code' in reply) return new RegulonError(reply.code, reply.message);
  const code = reply.systemCode;
  return Object.assign(new Error(`a thread that masks failed ${code}`), code === '' ? {} : { code });
}
