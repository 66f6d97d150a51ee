import { EventEmitter } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { type JobThread, WorkerAggregator } from './worker-aggregator.js';

class FakeThread extends EventEmitter implements JobThread {
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
    const newThread = (): FakeThread => {
      const thread = new FakeThread();
      threads.push(thread);
      return thread;
    };
    return { aggregator: new WorkerAggregator(newThread), threads };
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
