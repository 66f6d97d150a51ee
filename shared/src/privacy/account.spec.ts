import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { accountOf, type PrivacyEvent, reportedEpsilon } from './account.js';
import { noiseFor } from './calibrate.js';
import { gaussianEpsilon, gaussianMu } from './exact-gaussian.js';
import { pldEpsilon, PREVIEW_GRID } from './pld.js';

const preview = { grid: PREVIEW_GRID };
const refused = expect.objectContaining({ code: 'E_PRIVACY' });
const event = (q: number, z: number, steps: number): PrivacyEvent => ({ mechanism: 'gaussian', q, z, steps });
const ring: PrivacyEvent = {
  ...{ mechanism: 'discrete-gaussian', localSigma: 1000, contributors: 3, sensitivity: 1100 },
  ...{ dimensions: 10_000, steps: 1 },
};

describe('an account', () => {
  it('falls with noise and δ, rises with rate and steps, and no cross-check is below the reported value', () => {
    const parameters = fc.tuple(
      fc.double({ min: 0.01, max: 0.8, noNaN: true }),
      fc.double({ min: 0.8, max: 5, noNaN: true }),
      fc.integer({ min: 2, max: 60 }),
      fc.constantFrom(1e-3, 1e-5),
    );
    fc.assert(
      fc.property(parameters, ([q, z, steps, delta]) => {
        const epsilon = (e: PrivacyEvent, d: number = delta): number =>
          reportedEpsilon([e], d, preview).epsilon;
        const { epsilon: all, reported } = accountOf([event(q, z, steps)], delta, preview);
        expect(all.rdp).toBeGreaterThanOrEqual(reported.epsilon);
        expect(epsilon(event(q, z * 1.2, steps))).toBeLessThan(reported.epsilon);
        expect(epsilon(event(q, z, steps), delta * 2)).toBeLessThan(reported.epsilon);
        expect(epsilon(event(Math.min(1, q * 1.2), z, steps))).toBeGreaterThan(reported.epsilon);
        expect(epsilon(event(q, z, steps + 1))).toBeGreaterThan(reported.epsilon);
      }),
      { seed: 7, numRuns: 5, endOnFailure: true },
    );
  });

  it('is the exact one where nothing is sampled, whatever the noises are', () => {
    const events = [event(1, 3, 4), event(1, 5, 9), event(1, 3, 2)];
    const { epsilon, reported } = accountOf(events, 1e-5);
    const exact = gaussianEpsilon(
      gaussianMu([
        { z: 3, steps: 6 },
        { z: 5, steps: 9 },
      ]),
      1e-5,
    );
    expect(reported).toEqual({ epsilon: exact, by: 'exact' });
    expect(Math.abs(Number(epsilon.pld) / exact - 1)).toBeLessThan(1e-6);
  });

  it.each([
    ['exact', [event(1, 3, 4), event(1, 5, 9)]],
    ['pld', [event(0.2, 12, 3), event(1, 15, 1)]],
    ['rdp', [ring, event(1, 2, 1)]],
    ['exact', []],
  ])('reports the same (%s) when only that is asked for', (by, events) => {
    const { reported } = accountOf(events, 1e-5);
    expect(reported.by).toBe(by);
    expect(reportedEpsilon(events, 1e-5)).toEqual(reported);
  });

  it('composes different rates: between the account of the least and of the most', () => {
    const both = pldEpsilon(
      [
        { q: 0.1, z: 1, steps: 20 },
        { q: 0.3, z: 2, steps: 20 },
      ],
      1e-5,
      1e-3,
    );
    const split = [
      { q: 0.1, z: 1, steps: 10 },
      { q: 0.3, z: 2, steps: 20 },
      { q: 0.1, z: 1, steps: 10 },
    ];
    expect(pldEpsilon(split, 1e-5, 1e-3)).toBeCloseTo(both, 9);
    for (const [q, z] of [
      [0.1, 1],
      [0.3, 2],
    ] as const)
      expect(pldEpsilon([{ q, z, steps: 20 }], 1e-5, 1e-3)).toBeLessThan(both);
  });

  it('of a patient in k hospitals is that of k times the steps', () => {
    const three = accountOf([event(1, 5, 4)], 1e-5, { copies: 3 });
    expect(three.reported).toEqual(accountOf([event(1, 5, 12)], 1e-5).reported);
  });

  it('falls back to Rényi divergences when integer noise is among the events, at their orders', () => {
    const { epsilon, reported } = accountOf([ring, event(1, 2, 1)], 1e-5);
    expect(epsilon).toMatchObject({ pld: null, exact: null });
    expect(reported).toEqual({ epsilon: epsilon.rdp, by: 'rdp' });
    expect(epsilon.rdp).toBeGreaterThan(accountOf([ring], 1e-5).epsilon.rdp);
  });

  it('of nothing is nothing', () => {
    expect(accountOf([], 1e-5).reported).toEqual({ epsilon: 0, by: 'exact' });
  });

  it.each([
    ['no noise', event(0.1, 0, 1), 1e-5],
    ['negative noise', event(0.1, -1, 1), 1e-5],
    ['noise that is no number', event(0.1, NaN, 1), 1e-5],
    ['a rate above 1', event(1.01, 1, 1), 1e-5],
    ['a rate of 0', event(0, 1, 1), 1e-5],
    ['half a step', event(0.1, 1, 0.5), 1e-5],
    ['δ = 0', event(0.1, 1, 1), 0],
    ['δ = 1', event(0.1, 1, 1), 1],
    ['integer noise without noise', { ...ring, localSigma: 0 }, 1e-5],
    ['a sensitivity of 0', { ...ring, sensitivity: 0 }, 1e-5],
  ])('refuses %s by name', (_, wrong, delta) => {
    expect(() => accountOf([wrong], delta)).toThrow(refused);
    expect(() => reportedEpsilon([wrong], delta)).toThrow(refused);
  });

  it('refuses what the accountants cannot hold, rather than to guess', () => {
    expect(() => accountOf([event(0.5, 0.001, 1)], 1e-5)).toThrow(refused);
    expect(() => noiseFor({ epsilon: 0, delta: 1e-5, q: 1, steps: 1 })).toThrow(refused);
  });

  it('holds all units with so little noise that the least loss has no logarithm', () => {
    const { epsilon } = accountOf([event(1, 0.2, 1)], 1e-5);
    expect(Math.abs(Number(epsilon.pld) / Number(epsilon.exact) - 1)).toBeLessThan(1e-6);
    expect(epsilon.rdp).toBeGreaterThan(Number(epsilon.exact));
  });
});

describe('the noise for a wanted ε', () => {
  it.each([
    ['of which the Rényi orders reach none so small', 0.001, 1e-5, 0.001, 10, Infinity],
    ['that half the first guess has exactly 0 of', 0.01, 0.001, 0.01, 1, 3.7235],
  ])('%s', (_, epsilon, delta, q, steps, rdp) => {
    const noise = noiseFor({ epsilon, delta, q, steps });
    const reached = pldEpsilon([{ q, z: noise.pld, steps }], delta);
    expect(reached).toBeLessThanOrEqual(epsilon);
    expect(reached).toBeGreaterThan(epsilon * (1 - 1e-4));
    if (rdp === Infinity) expect(noise.rdp).toBe(Infinity);
    else expect(noise.rdp).toBeCloseTo(rdp, 3);
  });

  it('is refused where δ is so large that units need none: they are hardly ever drawn', () => {
    expect(() => noiseFor({ epsilon: 0.5, delta: 0.09, q: 0.01, steps: 1 })).toThrow(refused);
    expect(() => noiseFor({ epsilon: 1, delta: 1e-3, q: 0.01, steps: 1 })).not.toThrow();
  });
});
