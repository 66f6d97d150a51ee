import { describe, expect, it } from '@jest/globals';
import { entryTimeWrong } from '../verify/entry-time.js';
import { Thinning, type VouchedCheckpoint } from './thinning.js';

const skewSeconds = 300;
const HOUR = 3600;
const start = Date.UTC(2026, 10, 20) / 1000;

function kept(
  checkpoints: readonly VouchedCheckpoint[],
  times: readonly number[],
  gates: number[] = [],
  changes: number[] = [],
) {
  const thinning = new Thinning({ times, gates: new Set(gates), changes, skewSeconds });
  const sizes = [...checkpoints.map((checkpoint) => thinning.take(checkpoint)), thinning.end()];
  return sizes.filter((size) => size !== undefined);
}

/** What row L4 says of each entry under these checkpoints. */
function verdicts(checkpoints: readonly VouchedCheckpoint[], times: readonly number[]) {
  return times.map((time, index) => {
    const at = checkpoints.findIndex(({ size }) => size > index);
    const wrong = at < 0 ? null : entryTimeWrong(time, checkpoints[at]?.first ?? 0, skewSeconds);
    return wrong === 'behind' && at === 0 ? null : wrong;
  });
}

/** A checkpoint each so many seconds, over one entry that was made a little before it. */
const regular = (count: number, seconds: number) => ({
  checkpoints: Array.from({ length: count }, (_, i) => ({ size: i + 1, first: start + i * seconds })),
  times: Array.from({ length: count }, (_, i) => start + i * seconds - 10),
});

describe('the cosigned checkpoints of a bundle', () => {
  it('are few in a log of ten years that is cut every minute for weeks of each: below what a reader takes', () => {
    const { checkpoints, times } = regular(600_000, 526);
    const gates = [1, 77, 78, 599_998];
    const sizes = kept(checkpoints, times, gates);
    expect(sizes.length).toBeLessThan(16_000);
    expect(sizes).toEqual([...new Set(sizes)].sort((a, b) => a - b));
    for (const size of [...gates, 600_000]) expect(sizes).toContain(size);
    const gaps = sizes.slice(1).map((size, i) => (size - (sizes[i] ?? 0)) * 526);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(7 * HOUR);
  });

  it('are all of them where they lie far apart, and none where there is none', () => {
    const { checkpoints, times } = regular(9, 7 * HOUR);
    expect(kept(checkpoints, times)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(kept([], [])).toEqual([]);
    expect(kept(checkpoints.slice(0, 1), times)).toEqual([1]);
  });

  it('say of an entry what they said, also beside one whose time cannot be read', () => {
    const { checkpoints, times } = regular(5, 60);
    const lateEntry = times.with(2, start - 26 * HOUR);
    const pairs = checkpoints.filter(({ size }) => size !== 2);
    expect(kept(pairs, times)).toEqual([1, 5]);
    expect(kept(pairs, lateEntry)).toEqual([1, 3, 5]);
    for (const unread of [lateEntry.with(1, NaN), lateEntry.map((t, i) => (i === 1 ? undefined : t))])
      expect(kept(pairs, unread as number[])).toEqual([1, 3, 5]);
  });

  it('need none over a size that was cut again', () => {
    const { checkpoints, times } = regular(3, 60);
    const again = checkpoints.flatMap(({ size, first }) => [
      { size, first },
      { size, first: first + 30 },
    ]);
    expect(kept(again, times)).toEqual([1, 3]);
  });

  it('hold the first over each change of the membership', () => {
    const { checkpoints, times } = regular(40, 60);
    expect(kept(checkpoints, times)).toEqual([1, 40]);
    expect(kept(checkpoints, times, [], [6, 20])).toEqual([1, 7, 21, 40]);
  });

  it('say of every entry what all of them say, of those that are wrong too', () => {
    let state = 7;
    const next = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const seen = new Set<unknown>();
    for (let log = 0; log < 60; log++) {
      const checkpoints: VouchedCheckpoint[] = [];
      const times: number[] = [];
      let now = start;
      for (let c = 0; c < 40; c++) {
        now += next() * (next() < 0.2 ? 20 : 1) * HOUR;
        const added = Math.floor(next() * 4) + 1;
        for (let e = 0; e < added; e++)
          times.push(now + (next() < 0.1 ? 1000 - next() * 26 * HOUR : -next() * 600));
        // other witnesses: their times may go back a little
        checkpoints.push({ size: times.length, first: now - next() * 60 });
      }
      const sizes = kept(checkpoints, times);
      expect(sizes.length).toBeLessThan(checkpoints.length);
      const all = verdicts(checkpoints, times);
      expect(
        verdicts(
          checkpoints.filter(({ size }) => sizes.includes(size)),
          times,
        ),
      ).toEqual(all);
      all.forEach((verdict) => seen.add(verdict));
    }
    expect([...seen].sort()).toEqual(['ahead', 'behind', null]);
  });
});
