import { add } from '../numbers.js';
import type { SummedRound } from '../summed-round.js';
import type { Evaluated } from './lbfgs.js';

/** Prepared units of one site with their classes. */
export interface LabelledUnits {
  readonly n: number;
  readonly features: number;
  readonly classes: number;
  /** row-major [n, features] */
  readonly x: Float64Array;
  readonly labels: Int32Array;
  /** of a task of several heads, row-major [n, numbers of all heads]; NaN, or a class of −1, is missing */
  readonly targets?: Float64Array | undefined;
}

/** Weights [classes, features + 1], the intercept last, and what the last sum told of them. */
export interface SoftmaxState {
  readonly weights: Float64Array;
  readonly units: number;
  /** Σ cross-entropy over units, and its gradient */
  readonly loss: Evaluated;
}

/**
 * One evaluation of a softmax regression: each site sends its units, their cross-entropy and its gradient.
 *
 * @param bound of a prepared value
 */
export function softmaxRound(bound: number, fractionBits: number): SummedRound<LabelledUnits, SoftmaxState> {
  return {
    id: 'softmax-gradient',
    what: 'number of units, the sum of their losses and its derivatives by the weights',
    fractionBits,
    length: ({ weights }) => 2 + weights.length,
    bound: (weightCap) => weightCap * bound,
    local: gradientOf,
    fit: (state, sums) => ({
      ...state,
      units: Math.round(sums[0] ?? 0),
      loss: { value: sums[1] ?? NaN, gradient: sums.slice(2) },
    }),
  };
}

function gradientOf(
  { n, features, classes, x, labels }: LabelledUnits,
  { weights }: SoftmaxState,
): Float64Array {
  const sums = new Float64Array(2 + weights.length);
  sums[0] = n;
  for (let unit = 0; unit < n; unit++) {
    const row = x.subarray(unit * features, (unit + 1) * features);
    const p = probabilities(weights, row, classes);
    add(sums, 1, -Math.log(Math.max(Number.MIN_VALUE, p[labels[unit] ?? 0] ?? 0)));
    p.forEach((probability, c) => {
      const residual = probability - (c === labels[unit] ? 1 : 0);
      const at = 2 + c * (features + 1);
      for (let j = 0; j < features; j++) sums[at + j] = (sums[at + j] ?? 0) + residual * (row[j] ?? 0);
      add(sums, at + features, residual);
    });
  }
  return sums;
}

/** Class probabilities of one prepared unit. @param weights [classes, features + 1] */
export function probabilities(weights: Float64Array, row: Float64Array, classes: number): Float64Array {
  const width = row.length + 1;
  const logits = Float64Array.from({ length: classes }, (_, c) => {
    let sum = weights[c * width + row.length] ?? 0;
    for (let j = 0; j < row.length; j++) sum += (row[j] ?? 0) * (weights[c * width + j] ?? 0);
    return sum;
  });
  const largest = Math.max(...logits);
  const odds = logits.map((z) => Math.exp(z - largest));
  const total = odds.reduce((a, b) => a + b, 0);
  return odds.map((value) => value / total);
}

/** Start of a fit: all weights zero. */
export const softmaxStart = (features: number, classes: number): SoftmaxState => ({
  weights: new Float64Array(classes * (features + 1)),
  units: 0,
  loss: { value: Infinity, gradient: new Float64Array(classes * (features + 1)) },
});
