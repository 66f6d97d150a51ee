import { describe, expect, it } from '@jest/globals';
import type { StageNotice } from '../errors/refusals.js';
import { RunNews } from './run-news.js';

const at = (round: number, attempt: number, stage: StageNotice['stage']): StageNotice => ({
  ...{ type: 'stage', run: new Uint8Array(16), round, attempt, stage },
});

describe('the news of a run', () => {
  it('are the newest notice, once, and none that is older than what was attended to', () => {
    const news = new RunNews();
    expect(news.hear(at(0, 0, 'r0'))).toBe(true);
    expect(news.hear(at(0, 1, 'r2'))).toBe(true);
    expect(news.take()).toEqual(at(0, 1, 'r2'));
    expect(news.take()).toBeUndefined();
    for (const old of [at(0, 0, 'aborted'), at(0, 1, 'r1')]) expect(news.hear(old)).toBe(false);
    for (const fresh of [at(0, 1, 'r2'), at(0, 2, 'r0'), at(1, 0, 'r0')]) expect(news.hear(fresh)).toBe(true);
    expect(news.take()).toEqual(at(1, 0, 'r0'));
  });

  it('can be attended to again, unless something newer has come', () => {
    const news = new RunNews();
    news.again();
    expect(news.take()).toBeUndefined();
    news.hear(at(0, 0, 'r0'));
    news.take();
    news.again();
    expect(news.take()).toEqual(at(0, 0, 'r0'));
    news.hear(at(0, 0, 'r1'));
    news.again();
    expect(news.take()).toEqual(at(0, 0, 'r1'));
  });

  it('wake who waits for them; without any the wait ends', async () => {
    const news = new RunNews();
    expect(await news.wait(1)).toBe(false);
    for (const wake of [
      () => news.interrupt(),
      () => news.hear(at(0, 0, 'r0')),
      () => news.hearEnd('finished'),
    ]) {
      const woken = news.wait(60_000);
      wake();
      expect(await woken).toBe(true);
    }
    expect([news.isThere, news.over]).toEqual([true, 'finished']);
  });
});
