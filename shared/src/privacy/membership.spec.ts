import { describe, expect, it } from '@jest/globals';
import { gaussianDelta, gaussianMu } from './exact-gaussian.js';
import { areaUnder, foundAt, mostFound } from './membership.js';

describe('what a membership test finds', () => {
  it('is counted above the threshold that the others set', () => {
    const scores = { members: [3, 2, 1, 0.5], others: [2.5, 1, 0, -1] };
    expect(foundAt(0.1, scores)).toBe(0.25);
    expect(foundAt(0.25, scores)).toBe(0.5);
    expect(areaUnder(scores)).toBe(11.5 / 16);
  });

  it('is bounded by the exact trade-off where every unit takes part, as min over ε of e^ε·FPR + δ(ε)', () => {
    const events = [
      { q: 1, z: 8, steps: 6 },
      { q: 1, z: 10, steps: 1 },
    ];
    const mu = gaussianMu(events);
    const rates = [0.001, 0.01, 0.1, 0.5];
    const bounds = mostFound(events, rates);
    rates.forEach((rate, i) => {
      const lines = Array.from({ length: 20_001 }, (_, k) => (k - 10_000) * 0.0005);
      const least = Math.min(...lines.map((e) => Math.exp(e) * rate + gaussianDelta(mu, e)));
      expect(bounds[i]! / least).toBeCloseTo(1, 5);
    });
  });

  it('is bounded by sampled steps less than by steps on everybody', () => {
    const steps = { z: 1.5, steps: 20 };
    const [sampled = 0] = mostFound([{ q: 0.1, ...steps }], [0.01]);
    const [all = 0] = mostFound([{ q: 1, ...steps }], [0.01]);
    expect(sampled).toBeGreaterThan(0.01);
    expect(sampled).toBeLessThan(all);
  });
});
