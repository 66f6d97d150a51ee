import { rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { tileRanges } from '@regulon/shared/secagg';
import { temporaryName } from './blob-writer.js';
import { foldedBytes } from './fold-job.js';
import type { Aggregator, FoldJob, Job, ResultOf, WrittenBlob } from './job.js';
import { type JobPort, JobThread, startWorker } from './job-thread.js';

/** Bytes of uploads and mask streams from which further threads save more than they cost to start (docs/benchmarks.md). */
const SPREAD_BYTES = 2e9;
const MOST_THREADS = 8;

/**
 * Jobs beside the event loop: tiles, hashes and file syncs never block it.
 *
 * One thread lives as long as the process and does one job after the other; a large fold gets further ones for its time.
 */
export class WorkerAggregator implements Aggregator {
  private readonly thread: JobThread;

  /** @param cores threads that a fold may use @param spreadBytes from how much work on it uses them */
  constructor(
    private readonly start: () => JobPort = startWorker,
    private readonly cores = Math.min(MOST_THREADS, availableParallelism()),
    private readonly spreadBytes = SPREAD_BYTES,
  ) {
    this.thread = new JobThread(start);
  }

  run<J extends Job>(job: J): Promise<ResultOf[J['kind']]> {
    if (job.kind !== 'fold' || this.cores === 1 || workOf(job) < this.spreadBytes)
      return this.thread.run(job);
    return this.foldInRanges(job) as Promise<ResultOf[J['kind']]>;
  }

  close(): Promise<void> {
    return this.thread.close();
  }

  private async foldInRanges({ place, ...job }: FoldJob): Promise<WrittenBlob> {
    const path = temporaryName(place);
    const ranges = tileRanges(foldedBytes(job), this.cores);
    const helpers = ranges.slice(1).map(() => new JobThread(this.start));
    const threads = [this.thread, ...helpers];
    try {
      const parts = await settled(
        ranges.map((range, k) =>
          (threads[k] ?? this.thread).run({ ...job, kind: 'fold-range', range, output: path }),
        ),
      );
      return await this.thread.run({ kind: 'publish', path, leafHashes: parts.flat(), place });
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    } finally {
      await Promise.all(helpers.map((helper) => helper.close()));
    }
  }
}

/** Bytes that a fold reads and generates. */
const workOf = (job: FoldJob): number => foldedBytes(job) * (job.spools.length + job.masks.length);

/** All results, or the first failure after every one has ended: nobody writes any more. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
