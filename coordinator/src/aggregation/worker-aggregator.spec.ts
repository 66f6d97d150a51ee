import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from '@regulon/shared/crypto';
import type { JobPort } from './job-thread.js';
import { InlineAggregator } from './inline-aggregator.js';
import type { FoldJob, Job } from './job.js';
import { runJob } from './run-job.js';
import { WorkerAggregator } from './worker-aggregator.js';

class FakeThread extends EventEmitter implements JobPort {
  readonly ids: number[] = [];

  postMessage({ id }: { id: number }): void {
    this.ids.push(id);
  }

  async terminate(): Promise<void> {
    this.emit('exit', 1);
  }
}

const job = { kind: 'tail', path: 'none', words: 1, ringBits: 32 } as const;

describe('aggregation in a thread', () => {
  function withThreads(): { aggregator: WorkerAggregator; threads: FakeThread[] } {
    const threads: FakeThread[] = [];
    const start = (): FakeThread => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    };
    return { aggregator: new WorkerAggregator(start), threads };
  }

  it('fails what a dead thread had, and goes on in another one that its late end does not touch', async () => {
    const { aggregator, threads } = withThreads();
    const lost = aggregator.run(job);
    threads[0]?.emit('error', new Error('out of memory'));
    await expect(lost).rejects.toMatchObject({ code: 'E_INTERNAL' });
    const next = aggregator.run(job);
    threads[0]?.emit('exit', 1);
    threads[1]?.emit('message', { id: threads[1].ids[0], result: [7] });
    await expect(next).resolves.toEqual([7]);
    expect(threads).toHaveLength(2);
  });

  it('answers each job with its own result or named error', async () => {
    const { aggregator, threads } = withThreads();
    const [first, second] = [aggregator.run(job), aggregator.run(job)];
    const [one, two] = threads[0]?.ids ?? [];
    threads[0]?.emit('message', { id: two, result: [2] });
    threads[0]?.emit('message', { id: one, error: { code: 'E_DIGEST', message: 'too short' } });
    await expect(second).resolves.toEqual([2]);
    await expect(first).rejects.toMatchObject({ code: 'E_DIGEST' });
    await aggregator.close();
  });
});

/** Does its jobs at once, on the calling thread; fails those for which `fails` says so. */
class WorkingThread extends FakeThread {
  closed = false;

  constructor(private readonly fails: (job: Job) => boolean) {
    super();
  }

  override postMessage({ id, job }: { id: number; job: Job }): void {
    super.postMessage({ id });
    const reply = this.fails(job)
      ? { id, error: { code: 'E_DISK_FULL', message: 'the volume is full' } }
      : { id, result: runJob(job) };
    queueMicrotask(() => this.emit('message', reply));
  }

  override async terminate(): Promise<void> {
    this.closed = true;
    await super.terminate();
  }
}

describe('a large fold', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-fold-'));
    mkdirSync(join(folder, 'temporary'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Three uploads of almost four tiles. */
  function makeJob(): FoldJob {
    const length = 131_001;
    const spools = [0, 1, 2].map((k) => join(folder, `${k}.ok`));
    for (const path of spools) writeFileSync(path, randomBytes(4 * length));
    const masks = spools.map((_, k) => ({
      key: randomBytes(32),
      sign: k === 1 ? (1 as const) : (-1 as const),
    }));
    const place = { folder: join(folder, 'blobs'), temporary: join(folder, 'temporary') };
    return { kind: 'fold', spools, masks, length, ringBits: 32, place };
  }

  function spread(fails: (job: Job) => boolean = () => false, fromBytes = 1) {
    const threads: WorkingThread[] = [];
    const start = (): WorkingThread => {
      const thread = new WorkingThread(fails);
      threads.push(thread);
      return thread;
    };
    return { threads, aggregator: new WorkerAggregator(start, 3, fromBytes) };
  }

  it('is spread over threads that live only for it, and gives what one thread gives', async () => {
    const job = makeJob();
    const { threads, aggregator } = spread();
    const result = await aggregator.run(job);
    expect(result).toEqual(await new InlineAggregator().run(job));
    // one range each, and the first thread publishes
    expect(threads.map(({ ids }) => ids.length)).toEqual([2, 1, 1]);
    expect(threads.map(({ closed }) => closed)).toEqual([false, true, true]);
    expect(readdirSync(job.place.temporary)).toEqual([]);
    await aggregator.close();
  });

  it('that fails in one range fails as a whole and leaves no file', async () => {
    const job = makeJob();
    const { threads, aggregator } = spread((j) => j.kind === 'fold-range' && j.range.lo > 0);
    await expect(aggregator.run(job)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect(readdirSync(job.place.temporary)).toEqual([]);
    expect(threads.map(({ closed }) => closed)).toEqual([false, true, true]);
    await aggregator.close();
  });

  it('stays on one thread when it is small', async () => {
    const { threads, aggregator } = spread(undefined, 1e7);
    await aggregator.run(makeJob());
    expect(threads.map(({ ids }) => ids.length)).toEqual([1]);
    await aggregator.close();
  });
});
