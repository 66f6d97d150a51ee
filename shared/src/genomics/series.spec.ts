import { describe, expect, it } from '@jest/globals';
import { seriesBaselines } from './series-baselines.js';
import { fillSeries, wholeSeries } from './series.js';

const NA = NaN;
const viewOf = (rows: number[][]) => ({
  n: rows.length,
  genes: rows[0]?.length ?? 0,
  values: Float64Array.from(rows.flat()),
  classes: 0,
});

describe('filled series', () => {
  it('interpolates training steps, fills their ends and carries the past forward in test', () => {
    const { values, mask, units } = fillSeries(viewOf([[NA, 1, NA, NA, 4, NA, NA, 7, NA]]), 3);
    expect([...units]).toEqual([0]);
    expect([...values]).toEqual([1, 1, 2, 3, 4, 4, 4, 7, 7]);
    expect([...mask]).toEqual([0, 0, 1, 1, 1, 1, 0, 1, 0]);
  });

  it('never looks ahead into the test steps', () => {
    const before = fillSeries(viewOf([[0, 1, NA, 3, NA, 5, 6]]), 2);
    const after = fillSeries(viewOf([[0, 1, NA, 3, NA, 50, 60]]), 2);
    expect(before.values.subarray(0, 5)).toEqual(after.values.subarray(0, 5));
  });

  it('drops units without any training value and says which stay', () => {
    const { units, n } = fillSeries(
      viewOf([
        [1, 1, 1, 1, 2],
        [NA, NA, NA, NA, 2],
        [1, NA, NA, 1, NA],
      ]),
      1,
    );
    expect([n, ...units]).toEqual([2, 0, 2]);
  });

  it('refuses a horizon that leaves fewer than four training steps, and series without values', () => {
    expect(() => fillSeries(viewOf([[1, 2, 3, 4, 5]]), 2)).toThrow('horizon: 2 of 5');
    expect(() => fillSeries(viewOf([[NA, NA, NA, NA, 5]]), 1)).toThrow('no series');
  });
});

describe('baselines of a series', () => {
  it('predict a geometric series exactly by AR(3), up to the ridge', () => {
    const rows = Array.from({ length: 40 }, (_, i) =>
      Array.from({ length: 9 }, (_, t) => (i + 1) * 0.8 ** t),
    );
    const { ar3, lastValue, zero } = seriesBaselines(viewOf(rows), 2);
    expect(ar3.mse).toBeLessThan(1e-9);
    expect(lastValue.targets).toBe(80);
    expect(zero.mse).toBeGreaterThan(lastValue.mse);
  });

  it('count observed targets only', () => {
    const { lastValue } = seriesBaselines(viewOf([[1, 1, 1, 1, NA, 3, NA]]), 3);
    expect(lastValue).toEqual({ squaredError: 4, targets: 1, mse: 4 });
    expect(() => seriesBaselines(viewOf([[1, 1, 1, 1, NA]]), 1)).toThrow('no observed value');
  });
});

describe('series of several channels', () => {
  it('stand step by step, each with its own gaps filled', () => {
    const values = Float64Array.from([1, NaN, 3, 10, 20, NaN]);
    const whole = wholeSeries({ n: 1, genes: 6, values, classes: 0 }, 2);
    expect([...whole]).toEqual([1, 1, 10, 1, 2, 0, 20, 1, 3, 1, 20, 0]);
  });
});
