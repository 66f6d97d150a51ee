import { RegulonError } from '../errors/index.js';

/** Confusion matrix K×K, row-major; row = true class, column = predicted class; entries are counts. */
export type Confusion = ArrayLike<number>;

/** A score, or null where the definition divides 0 by 0. */
export type Score = number | null;

const ratio = (numerator: number, denominator: number): Score =>
  denominator === 0 ? null : numerator / denominator;

const meanOf = (scores: readonly Score[]): Score => {
  let sum = 0;
  for (const score of scores) {
    if (score === null) return null;
    sum += score;
  }
  return ratio(sum, scores.length);
};

/** Number of classes K of a matrix of K² entries. @throws E_ARGUMENT if it is not square */
function classesOf(confusion: Confusion): number {
  const k = Math.round(Math.sqrt(confusion.length));
  if (k * k !== confusion.length || k === 0) {
    throw new RegulonError('E_ARGUMENT', `a confusion matrix of ${confusion.length} entries is not square`);
  }
  return k;
}

/** Units of each true class (row sums), units predicted as each class (column sums), hits (diagonal). */
function marginsOf(confusion: Confusion): {
  truth: number[];
  predicted: number[];
  hits: number[];
  n: number;
} {
  const k = classesOf(confusion);
  const truth = new Array<number>(k).fill(0);
  const predicted = new Array<number>(k).fill(0);
  let n = 0;
  for (let i = 0; i < confusion.length; i++) {
    const units = confusion[i] ?? 0;
    truth[Math.floor(i / k)] = (truth[Math.floor(i / k)] ?? 0) + units;
    predicted[i % k] = (predicted[i % k] ?? 0) + units;
    n += units;
  }
  return { truth, predicted, hits: truth.map((_, c) => confusion[c * k + c] ?? 0), n };
}

/** Share of units on the diagonal. */
export function accuracyOf(confusion: Confusion): Score {
  const { hits, n } = marginsOf(confusion);
  return ratio(
    hits.reduce((a, b) => a + b, 0),
    n,
  );
}

/** Share of the largest true class: what "always the majority" scores. */
export function majorityShareOf(confusion: Confusion): Score {
  const { truth, n } = marginsOf(confusion);
  return ratio(Math.max(...truth), n);
}

/** Recall of each class; null for a class without units. */
export function recallPerClassOf(confusion: Confusion): Score[] {
  const { hits, truth } = marginsOf(confusion);
  return hits.map((hit, c) => ratio(hit, truth[c] ?? 0));
}

/** Precision of each class; null for a class that was never predicted. */
export function precisionPerClassOf(confusion: Confusion): Score[] {
  const { hits, predicted } = marginsOf(confusion);
  return hits.map((hit, c) => ratio(hit, predicted[c] ?? 0));
}

/** Mean recall over all classes; null as soon as one class has no units. */
export function balancedAccuracyOf(confusion: Confusion): Score {
  return meanOf(recallPerClassOf(confusion));
}

/** F1 = 2·hits / (true + predicted) of each class; null when both are empty. */
export function f1PerClassOf(confusion: Confusion): Score[] {
  const { hits, truth, predicted } = marginsOf(confusion);
  return hits.map((hit, c) => ratio(2 * hit, (truth[c] ?? 0) + (predicted[c] ?? 0)));
}

/** Mean F1 over classes, from the summed matrix (not a mean over sites). */
export function macroF1Of(confusion: Confusion): Score {
  return meanOf(f1PerClassOf(confusion));
}

/**
 * Matthews correlation of K classes.
 *
 * @see Gorodkin 2004, Comput. Biol. Chem. 28, the R_K statistic
 */
export function matthewsCorrelationOf(confusion: Confusion): Score {
  const { hits, truth, predicted, n } = marginsOf(confusion);
  const dot = (a: readonly number[], b: readonly number[]): number =>
    a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), 0);
  const covariance = hits.reduce((a, b) => a + b, 0) * n - dot(truth, predicted);
  const spread = Math.sqrt((n * n - dot(predicted, predicted)) * (n * n - dot(truth, truth)));
  return ratio(covariance, spread);
}
