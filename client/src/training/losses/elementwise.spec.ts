import { describe, expect, it } from '@jest/globals';
import { elementwise, type ElementwiseLoss, elementwiseOf, meanOf } from './elementwise.js';

const cases: [loss: ElementwiseLoss, y: number, t: number, expected: number][] = [
  [{ type: 'squared-error' }, 3, 1, 4],
  [{ type: 'absolute-error' }, -3, 1, 4],
  [{ type: 'huber', delta: 1 }, 0.5, 0, 0.125],
  [{ type: 'huber', delta: 1 }, -3, 0, 2.5],
  [{ type: 'poisson' }, Math.log(4), 3, 4 - 3 * Math.log(4)],
  [{ type: 'binary-cross-entropy', positiveWeight: 1 }, 0, 1, Math.LN2],
  [{ type: 'binary-cross-entropy', positiveWeight: 3 }, 2, 1, 3 * Math.log1p(Math.exp(-2))],
  [{ type: 'binary-cross-entropy', positiveWeight: 3 }, -1.5, 0, Math.log1p(Math.exp(-1.5))],
  [{ type: 'focal', gamma: 2 }, 0, 1, 0.25 * Math.LN2],
  [{ type: 'focal', gamma: 0 }, 1.3, 0, Math.log1p(Math.exp(1.3))],
];

describe('losses of outputs one by one', () => {
  it.each(cases)('%j at %d against %d', (loss, y, t, expected) => {
    const of = elementwiseOf(loss);
    expect(of(y, t).loss).toBeCloseTo(expected, 12);
    const h = 1e-6;
    expect((of(y + h, t).loss - of(y - h, t).loss) / (2 * h)).toBeCloseTo(of(y, t).slope, 6);
  });

  it('is finite where an exponential would overflow', () => {
    const of = elementwiseOf({ type: 'binary-cross-entropy', positiveWeight: 1 });
    expect(of(-1000, 1)).toEqual({ loss: 1000, slope: -1 });
    expect(of(1000, 1)).toEqual({ loss: 0, slope: 0 });
  });

  it('leaves out what is missing, even where the output is no number', () => {
    const output = Float32Array.of(1, Number.NaN, 4);
    const sums = elementwise(elementwiseOf({ type: 'squared-error' }), output, [0, Number.NaN, 2]);
    expect(sums).toEqual({ lossSum: 5, targetCount: 2, correct: 0 });
    expect([...output]).toEqual([2, 0, 4]);
  });

  it('knows what an output stands for', () => {
    expect(meanOf({ type: 'poisson' }, Math.log(3))).toBeCloseTo(3, 12);
    expect(meanOf({ type: 'focal', gamma: 2 }, 0)).toBe(0.5);
    expect(meanOf(undefined, 7)).toBe(7);
  });
});
