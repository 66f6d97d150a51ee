import { describe, expect, it } from '@jest/globals';
import { discreteGaussianSampler } from './exact-sampler.js';

const moments = (values: readonly number[]): { mean: number; variance: number } => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length };
};

describe('noise in the ring', () => {
  it('has the variance that was asked for, rounded up to a whole standard deviation', () => {
    const words = new Int32Array(100_000).fill(1000);
    discreteGaussianSampler.add(words, 24.5);
    const { mean, variance } = moments([...words]);
    expect(Math.abs(mean - 1000)).toBeLessThan(0.1);
    expect(Math.abs(variance / 25 - 1)).toBeLessThan(0.03);
  });

  it('wraps as the ring does', () => {
    const words = new Int32Array(1000).fill(2 ** 31 - 1);
    discreteGaussianSampler.add(words, 100);
    expect(words.some((word) => word < 0)).toBe(true);
    const distance = words.map((word) => (word - (2 ** 31 - 1)) | 0);
    expect(Math.max(...distance.map(Math.abs))).toBeLessThan(100);
  });

  it('is fresh at each call: the same vector is never noised alike', () => {
    const [a, b] = [new Int32Array(64), new Int32Array(64)];
    discreteGaussianSampler.add(a, 1e6);
    discreteGaussianSampler.add(b, 1e6);
    expect([...a]).not.toEqual([...b]);
  });

  it.each([15.99, 0, -1, NaN])('refuses a variance of %d', (variance) => {
    const words = new Int32Array(4);
    expect(() => discreteGaussianSampler.add(words, variance)).toThrow(
      expect.objectContaining({ code: 'E_PRIVACY' }),
    );
    expect([...words]).toEqual([0, 0, 0, 0]);
  });
});
