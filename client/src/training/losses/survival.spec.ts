import { describe, expect, it } from '@jest/globals';
import { coxLoss } from '@regulon/shared/genomics';
import { discreteTimeLoss } from './discrete-time.js';

/** Time, event, x1, x2 of fifteen patients at three sites, with ties. */
const sites = [
  [
    [5, 1, 0.5, 1],
    [8, 1, -1.2, 0],
    [8, 0, 0.3, 0],
    [12, 1, 1.1, 1],
    [16, 0, -0.7, 1],
  ],
  [
    [3, 1, 1.9, 0],
    [8, 1, 0.4, 1],
    [11, 0, -0.2, 1],
    [16, 1, -1.5, 0],
    [20, 0, -0.9, 0],
  ],
  [
    [2, 1, 1.4, 1],
    [5, 0, 0.8, 0],
    [9, 1, 0.1, 0],
    [14, 1, -0.6, 1],
    [20, 0, -1.1, 0],
  ],
] as const;
const all = sites.flat();
type Patient = readonly [time: number, event: number, x1: number, x2: number];

/** Loss and gradient of a linear model by its coefficients. */
type Fit = (beta: readonly number[]) => { loss: number; gradient: number[] };

function coxFit(strata: readonly (readonly Patient[])[], ties: 'breslow' | 'efron'): Fit {
  return (beta) => {
    let loss = 0;
    const gradient = [0, 0];
    for (const patients of strata) {
      const risk = patients.map(([, , x1, x2]) => beta[0]! * x1 + beta[1]! * x2);
      const survival = {
        risk,
        time: patients.map(([time]) => time),
        event: patients.map(([, event]) => event),
      };
      const terms = coxLoss(survival, ties);
      loss += terms.loss;
      patients.forEach(([, , x1, x2], i) => {
        gradient[0]! += terms.gradient[i]! * x1;
        gradient[1]! += terms.gradient[i]! * x2;
      });
    }
    return { loss, gradient };
  };
}

const edges = [4, 8, 12, 20];
const discreteFit: Fit = (beta) => {
  const logits = Float64Array.from(
    all.flatMap(([, , x1, x2]) => edges.map((_, k) => beta[k]! + beta[4]! * x1 + beta[5]! * x2)),
  );
  const targets = all.flatMap(([time, event]) => [time, event]);
  const { lossSum } = discreteTimeLoss(logits, targets, edges);
  const gradient = [0, 0, 0, 0, 0, 0];
  all.forEach(([, , x1, x2], i) =>
    edges.forEach((_, k) => {
      const slope = logits[i * 4 + k]!;
      gradient[k]! += slope;
      gradient[4]! += slope * x1;
      gradient[5]! += slope * x2;
    }),
  );
  return { loss: lossSum, gradient };
};

/** Newton's method with the Hessian by central differences of the gradient. */
function fitted(fit: Fit, size: number): { beta: number[]; loss: number } {
  let beta = new Array<number>(size).fill(0);
  for (let step = 0; step < 30; step++) {
    const { gradient } = fit(beta);
    const h = 1e-5;
    const hessian = beta.map((_, j) => {
      const at = (by: number) => fit(beta.map((b, i) => (i === j ? b + by : b))).gradient;
      const [up, down] = [at(h), at(-h)];
      return up.map((g, i) => (g - down[i]!) / (2 * h));
    });
    const direction = solved(hessian, gradient);
    beta = beta.map((b, i) => b - direction[i]!);
  }
  return { beta, loss: fit(beta).loss };
}

/** Gauss–Jordan elimination of a positive definite system. */
function solved(matrix: readonly (readonly number[])[], right: readonly number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  rows.forEach((pivot, i) => {
    const scale = pivot[i]!;
    pivot.forEach((_, c) => (pivot[c]! /= scale));
    rows.forEach((row, r) => {
      const factor = row[i]!;
      if (r !== i) row.forEach((_, c) => (row[c]! -= factor * pivot[c]!));
    });
  });
  return rows.map((row) => row.at(-1)!);
}

function expectFit(fit: Fit, size: number, beta: readonly number[], logLikelihood: number): void {
  const found = fitted(fit, size);
  beta.forEach((b, i) => expect(Math.abs(found.beta[i]! - b)).toBeLessThan(1e-6));
  expect(Math.abs(-found.loss - logLikelihood)).toBeLessThan(1e-6);
}

describe('survival losses against R (package survival 3.5.3)', () => {
  it('Cox, pooled: Breslow', () => {
    expectFit(coxFit([all], 'breslow'), 2, [1.20110595515272, -0.126810449747291], -15.9233707121399);
  });

  it('Cox, pooled: Efron', () => {
    expectFit(coxFit([all], 'efron'), 2, [1.19633770385822, -0.114522495192454], -15.8346365878269);
  });

  it('Cox stratified by site: sums of the sites', () => {
    expectFit(coxFit(sites, 'efron'), 2, [1.0764945814156, 0.0328669855807746], -8.25107462231551);
  });

  it('discrete time in four intervals', () => {
    const intercepts = [-2.69320974, -1.1872808, -0.52760441, 1.21433201];
    const beta = [...intercepts, 1.66826244811762, -0.118948979377574];
    expectFit(discreteFit, 6, beta, -16.6422644094879);
  });
});

describe('survival losses', () => {
  it('leave out units without a time, and survive large risks', () => {
    const time = [5, Number.NaN, 3];
    const event = [1, 1, 1];
    const { loss, gradient, events } = coxLoss({ risk: [1000, 0, -1000], time, event }, 'efron');
    expect([events, gradient[1]]).toEqual([2, 0]);
    expect(loss).toBeCloseTo(2000, 6);
    const logits = Float64Array.of(1, 2, 3, 4);
    expect(discreteTimeLoss(logits, [Number.NaN, 1, 1, 0], [2, 5]).targetCount).toBe(1);
    expect([...logits.subarray(0, 2), logits[3]]).toEqual([0, 0, 0]);
  });
});
