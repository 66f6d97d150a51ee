import { describe, expect, it } from '@jest/globals';
import { lossOfHeads, softmaxCrossEntropy, squaredError } from './index.js';

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

describe('softmaxCrossEntropy with options', () => {
  it('weighs classes, spreads a share of the target, and leaves out what has no class', () => {
    const options = { classWeights: [1, 3], smoothing: 0.2 };
    const logits = (): Float32Array => Float32Array.of(0.3, -0.4, 1, 2);
    const gradient = logits();
    const { lossSum, targetCount } = softmaxCrossEntropy(gradient, [1, -1], 2, options);
    const p = Math.exp(-0.4) / (Math.exp(0.3) + Math.exp(-0.4));
    expect(lossSum).toBeCloseTo(-3 * (0.9 * Math.log(p) + 0.1 * Math.log(1 - p)), 6);
    expect(targetCount).toBe(1);
    [3 * (1 - p - 0.1), 3 * (p - 0.9), 0, 0].forEach((g, i) => expect(gradient[i]).toBeCloseTo(g, 6));
  });

  it('sums tokens, not means of units: two steps of one unit count twice', () => {
    const three = softmaxCrossEntropy(Float32Array.of(1, 2, 0, 1, 5, 1), [0, 1, -1], 2);
    const apart = [
      softmaxCrossEntropy(Float32Array.of(1, 2), [0], 2),
      softmaxCrossEntropy(Float32Array.of(0, 1), [1], 2),
    ];
    expect(three.targetCount).toBe(2);
    expect(three.lossSum).toBeCloseTo(apart[0]!.lossSum + apart[1]!.lossSum, 12);
  });
});

describe('several heads', () => {
  const heads = [
    {
      ...{ block: 'subtype', shape: [2], offset: 0, size: 2, weight: 1, targetOffset: 0, targetSize: 1 },
      loss: { type: 'cross-entropy', smoothing: 0 },
    },
    {
      ...{ block: 'genes', shape: [3], offset: 2, size: 3, weight: 0.5, targetOffset: 1, targetSize: 3 },
      loss: { type: 'squared-error' },
    },
  ] as const;

  it('add up by weight and size; a missing label of one head leaves the other as it is', () => {
    const row = [1, 3, 1, 2, 3];
    const output = Float32Array.from([...row, ...row]);
    const targets = Float32Array.from([0, 0, 0, Number.NaN, -1, 1, 1, 1]);
    const sums = lossOfHeads(heads, output, targets, 2);
    const subtype = Math.log(Math.exp(1) + Math.exp(3)) - 1;
    expect(sums.heads?.map((head) => head.targetCount)).toEqual([1, 5]);
    expect(sums.lossSum).toBeCloseTo(subtype + (0.5 / 3) * (1 + 4 + 0 + 1 + 4), 5);
    expect(sums.targetCount).toBe(2);
    expect([...output.subarray(5, 7)]).toEqual([0, 0]);
    [2, 4, 0, 0, 2, 4].forEach((slope, i) => {
      expect(output[(i < 3 ? 2 : 4) + i]).toBeCloseTo((0.5 / 3) * slope, 6);
    });
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
