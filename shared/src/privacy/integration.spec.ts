import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { pldDelta } from './pld.js';
import { rdpOfSampledGaussian } from './rdp.js';

/**
 * A second implementation that shares nothing with the first: densities summed on a fine grid of outputs, and for
 * compositions the inversion of the characteristic function of the loss (Gil-Pelaez). No grid of losses, no FFT, no erfc.
 */
interface Point {
  /** probabilities under the Gaussian and under the mixture */
  readonly plain: number;
  readonly mixed: number;
}

function pointsOf(q: number, z: number): Point[] {
  const [from, to, width] = [-14 * z, 14 * z + 8, z / 40];
  return Array.from({ length: Math.ceil((to - from) / width) }, (_, k) => {
    const x = from + k * width;
    const density = (mean: number): number =>
      (width * Math.exp(-((x - mean) ** 2) / (2 * z * z))) / (z * Math.sqrt(2 * Math.PI));
    return { plain: density(0), mixed: (1 - q) * density(0) + q * density(1) };
  });
}

/** ln E_plain (mixed/plain)^α / (α − 1) */
function rdpByIntegration(q: number, z: number, order: number): number {
  const moment = pointsOf(q, z).reduce(
    (sum, { plain, mixed }) =>
      plain > 0 ? sum + Math.exp(order * Math.log(mixed) - (order - 1) * Math.log(plain)) : sum,
    0,
  );
  return Math.log(moment) / (order - 1);
}

/** P(Σ loss > ε) of `steps` independent losses with these probabilities. */
function tailByInversion(
  losses: readonly [loss: number, p: number][],
  steps: number,
  epsilon: number,
): number {
  const mean = losses.reduce((sum, [l, p]) => sum + l * p, 0);
  const variance = losses.reduce((sum, [l, p]) => sum + (l - mean) ** 2 * p, 0);
  const sd = Math.sqrt(variance * steps);
  const width = (2 * Math.PI) / (40 * sd + 2 * Math.abs(epsilon - mean * steps));
  let total = 0;
  for (let k = 0; k < 4000; k++) {
    const u = (k + 0.5) * width;
    let [re, im] = [0, 0];
    for (const [l, p] of losses) {
      re += p * Math.cos(u * (l - mean));
      im += p * Math.sin(u * (l - mean));
    }
    const size = Math.hypot(re, im) ** steps;
    total += (size * Math.sin(Math.atan2(im, re) * steps - u * (epsilon - mean * steps))) / (k + 0.5);
    if (size < 1e-17) break;
  }
  return 0.5 + total / Math.PI;
}

/** δ(ε) = P(loss > ε) − e^ε·Q(loss > ε), the larger of both directions. */
function deltaByInversion(q: number, z: number, steps: number, epsilon: number): number {
  const points = pointsOf(q, z).filter(({ plain, mixed }) => plain > 1e-300 && mixed > 1e-300);
  const one = ([upper, lower]: readonly [keyof Point, keyof Point]): number => {
    const lossOf = (point: Point): number => Math.log(point[upper] / point[lower]);
    const tail = (of: keyof Point): number =>
      tailByInversion(
        points.filter((point) => point[of] > 1e-18).map((point) => [lossOf(point), point[of]]),
        steps,
        epsilon,
      );
    return tail(upper) - Math.exp(epsilon) * tail(lower);
  };
  return Math.max(one(['mixed', 'plain']), one(['plain', 'mixed']));
}

const seeded = { seed: 20_260, numRuns: 6, endOnFailure: true };

describe('accountants against numerical integration', () => {
  it('RDP, at random rates, noises and fractional orders', () => {
    const parameters = fc.tuple(
      fc.double({ min: 0.005, max: 0.9, noNaN: true }),
      fc.double({ min: 0.6, max: 6, noNaN: true }),
      fc.double({ min: 1.05, max: 7, noNaN: true }),
    );
    fc.assert(
      fc.property(parameters, ([q, z, order]) => {
        const expected = rdpByIntegration(q, z, order);
        expect(Math.abs(rdpOfSampledGaussian(q, z, order) - expected)).toBeLessThan(1e-7 * expected + 1e-13);
      }),
      { ...seeded, numRuns: 40 },
    );
  });

  it('PLD, δ of random compositions at random ε', () => {
    const parameters = fc.tuple(
      fc.double({ min: 0.02, max: 0.6, noNaN: true }),
      fc.double({ min: 0.8, max: 4, noNaN: true }),
      fc.integer({ min: 20, max: 300 }),
      fc.double({ min: 0.3, max: 2.5, noNaN: true }),
    );
    fc.assert(
      fc.property(parameters, ([q, z, steps, ratio]) => {
        // ε where δ is neither 1 nor lost in rounding
        const epsilon = ratio * (q / z) * Math.sqrt(steps);
        const expected = deltaByInversion(q, z, steps, epsilon);
        // a fiftieth of the loss of one step
        const found = pldDelta([{ q, z, steps }], epsilon, q / z / 50);
        // connecting the dots never reports less; a grid this fine costs up to a thousandth
        expect(found).toBeGreaterThan(expected * (1 - 1e-6) - 1e-11);
        expect(found).toBeLessThan(expected * (1 + 2e-3) + 1e-10);
      }),
      seeded,
    );
  });

  it('PLD on the reported grid, to six digits', () => {
    const [q, z, steps, epsilon] = [0.05, 1.2, 100, 1.5];
    const expected = deltaByInversion(q, z, steps, epsilon);
    expect(Math.abs(pldDelta([{ q, z, steps }], epsilon) / expected - 1)).toBeLessThan(1e-5);
  });
});
