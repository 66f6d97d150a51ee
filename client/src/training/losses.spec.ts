import { describe, expect, it } from '@jest/globals';
import { softmaxCrossEntropy, squaredError } from './losses.js';

describe('softmaxCrossEntropy', () => {
  it('gives loss and gradient of published numbers: logits 1, 2, 3 with class 2', () => {
    const logits = Float32Array.of(1, 2, 3);
    const { lossSum, correct, targetCount } = softmaxCrossEntropy(logits, [2], 3);
    expect(lossSum).toBeCloseTo(0.4076059644443803, 12);
    expect([correct, targetCount]).toEqual([1, 1]);
    [0.09003057, 0.24472847, 0.66524096 - 1].forEach((p, k) => expect(logits[k]).toBeCloseTo(p, 7));
  });

  it('survives logits that overflow an exponential', () => {
    const logits = Float32Array.of(1000, -1000);
    expect(softmaxCrossEntropy(logits, [1], 2).lossSum).toBe(2000);
    expect([...logits]).toEqual([1, -1]);
  });
});

describe('squaredError', () => {
  it('ignores targets that do not count, even if they are NaN', () => {
    const output = Float32Array.of(1, 2, 3);
    const sums = squaredError(output, Float32Array.of(0, Number.NaN, 5), Float32Array.of(1, 0, 1), [0], 3);
    expect(sums).toEqual({ lossSum: 5, targetCount: 2, correct: 0 });
    expect([...output]).toEqual([2, 0, -4]);
  });
});
