import { describe, expect, it } from '@jest/globals';
import { testSeries, trainingSeries } from './series.js';

const X = Number.NaN;
const rows = (...series: number[][]) => {
  const values = Float32Array.from(series.flat());
  const mask = values.map((v) => (Number.isNaN(v) ? 0 : 1));
  return { values, mask, shape: { n: series.length, steps: series[0]!.length, horizon: 2 } };
};

describe('series for forecasts', () => {
  it('interpolates training steps, fills the ends, and counts observed targets from the third step on', () => {
    const { values, mask, shape } = rows([X, 1, X, X, 4, 5, X, 8]);
    const train = trainingSeries(values, mask, shape);
    expect(train.steps).toBe(5);
    expect([...train.inputs]).toEqual([1, 1, 2, 3, 4]);
    expect([...train.targets]).toEqual([1, 2, 3, 4, 5]);
    expect([...train.weights]).toEqual([0, 0, 0, 1, 1]);
  });

  it('tests on the observed last steps only, and carries a missing past forward', () => {
    const { values, mask, shape } = rows([1, 2, 3, 4, 5, X, X, 8]);
    const test = testSeries(values, mask, shape);
    expect([...test.inputs]).toEqual([1, 2, 3, 4, 5, 5, 5]);
    expect([...test.weights]).toEqual([0, 0, 0, 0, 0, 0, 1]);
    expect(test.targets[6]).toBe(8);
  });

  it('never looks ahead: later values change nothing before them', () => {
    const before = rows([1, 2, X, 4, X, X, 7, 8]);
    const after = rows([1, 2, X, 4, X, X, 70, 80]);
    const train = (r: typeof before) => [...trainingSeries(r.values, r.mask, r.shape).inputs];
    expect(train(before)).toEqual(train(after));
    const inputs = (r: typeof before) => [...testSeries(r.values, r.mask, r.shape).inputs].slice(0, 6);
    expect(inputs(before)).toEqual(inputs(after));
  });

  it('drops series without any training value, in training and in testing alike', () => {
    const { values, mask, shape } = rows([X, X, X, X, 5, 6], [1, 2, 3, 4, 5, 6]);
    expect(trainingSeries(values, mask, shape).n).toBe(1);
    expect(testSeries(values, mask, shape).n).toBe(1);
  });
});
