import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';

/** A number from binned sums, and how far it can be from the value of the single units. */
export interface Bounded {
  readonly value: number;
  readonly bound: number;
}

const PUBLIC_CELLS = 10_000;

/** Cells of a released histogram: 10⁴ in a public run, else at most max(10, units / 20). */
export function allowedCells(units: number, isPublic: boolean): number {
  return isPublic ? PUBLIC_CELLS : Math.max(10, Math.floor(units / 20));
}

/**
 * What a site sends of its scores: units of each class in cells of equal width, the same edges everywhere.
 *
 * @param scores probabilities of the positive class, each 0 to 1
 * @param positive whether a unit is of the positive class
 * @returns negatives of each cell, then positives, shape [2 · cells]; the caller owns it
 * @throws E_ARGUMENT for a score outside 0 to 1; its position is named, never the value
 */
export function scoreHistogram(
  scores: ArrayLike<number>,
  positive: readonly boolean[],
  cells: number,
): Float64Array {
  const sums = new Float64Array(2 * cells);
  positive.forEach((isPositive, unit) => {
    const score = scores[unit] ?? NaN;
    if (!(score >= 0 && score <= 1))
      throw new RegulonError('E_ARGUMENT', `score of unit ${unit + 1}: not between 0 and 1`);
    add(sums, (isPositive ? cells : 0) + Math.min(cells - 1, Math.floor(score * cells)), 1);
  });
  return sums;
}

const halves = (sums: Float64Array): [Float64Array, Float64Array] => [
  sums.subarray(0, sums.length / 2).map(Math.round),
  sums.subarray(sums.length / 2).map(Math.round),
];

const total = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

/**
 * Area under the ROC curve from summed histograms; exact when no cell holds both classes.
 *
 * @returns null when a class has no unit
 */
export function rocAreaOf(sums: Float64Array): Bounded | null {
  const [negative, positive] = halves(sums);
  const pairs = total(negative) * total(positive);
  if (pairs === 0) return null;
  let [below, wins, mixed] = [0, 0, 0];
  negative.forEach((n, cell) => {
    const p = positive[cell] ?? 0;
    wins += p * (below + n / 2);
    mixed += p * n;
    below += n;
  });
  return { value: wins / pairs, bound: mixed / (2 * pairs) };
}

/**
 * Average precision (area under the precision–recall curve) from summed histograms: the middle between the best and the
 * worst order inside cells, for scores without ties.
 *
 * @returns null without positives
 */
export function averagePrecisionOf(sums: Float64Array): Bounded | null {
  const [negative, positive] = halves(sums);
  const positives = total(positive);
  if (positives === 0) return null;
  let [tp, fp, best, worst] = [0, 0, 0, 0];
  for (let cell = positive.length - 1; cell >= 0; cell--) {
    const [p, n] = [positive[cell] ?? 0, negative[cell] ?? 0];
    for (let i = 1; i <= p; i++) {
      best += (tp + i) / (tp + i + fp);
      worst += (tp + i) / (tp + i + fp + n);
    }
    tp += p;
    fp += n;
  }
  return { value: (best + worst) / (2 * positives), bound: (best - worst) / (2 * positives) };
}
