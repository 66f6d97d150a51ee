import { describe, expect, it } from '@jest/globals';
import { Random } from './random.js';

const sample = (n: number, draw: () => number): { mean: number; variance: number } => {
  const values = Array.from({ length: n }, draw);
  const mean = values.reduce((a, b) => a + b, 0) / n;
  return { mean, variance: values.reduce((a, x) => a + (x - mean) ** 2, 0) / (n - 1) };
};

describe('simulation random numbers', () => {
  it('repeat for a seed and purpose, and differ for others', () => {
    const first = (seed: number, purpose: string): number[] => {
      const random = new Random(seed, purpose);
      return [random.uniform(), random.uniform(), random.normal()];
    };
    expect(first(1, 'a')).toEqual(first(1, 'a'));
    expect(first(1, 'a')).not.toEqual(first(2, 'a'));
    expect(first(1, 'a')).not.toEqual(first(1, 'b'));
  });

  it('have the moments of their distributions', () => {
    const random = new Random(5, 'moments');
    const normal = sample(20_000, () => random.normal(3, 2));
    expect(Math.abs(normal.mean - 3)).toBeLessThan(0.1);
    expect(Math.abs(normal.variance - 4)).toBeLessThan(0.2);
    for (const shape of [0.4, 7]) {
      const gamma = sample(20_000, () => random.gamma(shape));
      expect(Math.abs(gamma.mean / shape - 1)).toBeLessThan(0.06);
      expect(Math.abs(gamma.variance / shape - 1)).toBeLessThan(0.12);
    }
    for (const mean of [0.5, 8, 40, 900]) {
      const poisson = sample(20_000, () => random.poisson(mean));
      expect(Math.abs(poisson.mean / mean - 1)).toBeLessThan(0.03);
      expect(Math.abs(poisson.variance / mean - 1)).toBeLessThan(0.06);
      const counts = sample(20_000, () => random.negativeBinomial(mean, 0.3));
      expect(Math.abs(counts.variance / (mean + 0.3 * mean ** 2) - 1)).toBeLessThan(0.12);
    }
  });
});
