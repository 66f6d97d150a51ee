import { describe, expect, it } from '@jest/globals';
import { lossOfSampledGaussian } from './loss-distribution.js';

const GRID = 1e-2;

/** δ(ε) = ∫ max(0, P − e^ε·Q) by Simpson's rule: another way to what the discretised loss has at its grid points. */
function hockeyStick(p: (x: number) => number, q: (x: number) => number, epsilon: number, z: number): number {
  const [from, to, n] = [-12 * z, 12 * z + 1, 200_000];
  const width = (to - from) / n;
  let sum = 0;
  for (let i = 0; i <= n; i++) {
    const x = from + i * width;
    const weight = i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.max(0, p(x) - Math.exp(epsilon) * q(x));
  }
  return (sum * width) / 3;
}

describe('the privacy loss of one sampled step, in either direction', () => {
  it.each([
    ['remove', 0.3, 1, 0.2],
    ['add', 0.3, 1, 0.2],
    ['add', 0.1, 0.8, 0.05],
    ['remove', 0.1, 0.8, 0.5],
  ] as const)('%s: q %d, z %d has the divergence of the integral at ε %d', (direction, q, z, epsilon) => {
    const plain = (x: number): number => Math.exp(-(x * x) / (2 * z * z)) / (z * Math.sqrt(2 * Math.PI));
    const mixed = (x: number): number => (1 - q) * plain(x) + q * plain(x - 1);
    const [upper, lower] = direction === 'remove' ? [mixed, plain] : [plain, mixed];
    const { h, first, mass, infinite } = lossOfSampledGaussian(q, z, direction, GRID);
    const delta = mass.reduce(
      (sum, p, k) => sum + p * Math.max(0, -Math.expm1(epsilon - (first + k) * h)),
      infinite,
    );
    const expected = hockeyStick(upper, lower, epsilon, z);
    expect(expected).toBeGreaterThan(1e-4);
    expect(Math.abs(delta / expected - 1)).toBeLessThan(1e-6);
  });
});
