import {
  accuracyOf,
  balancedAccuracyOf,
  type Interval,
  macroF1Of,
  majorityShareOf,
  matthewsCorrelationOf,
  precisionPerClassOf,
  recallPerClassOf,
  wilsonInterval,
} from '../genomics/index.js';

/** Metrics of a confusion matrix with units in it; null where a definition divides 0 by 0. */
export interface ClassMetrics {
  readonly accuracy: number;
  /** 95 %, Wilson */
  readonly accuracyInterval: Interval | null;
  readonly balancedAccuracy: number | null;
  readonly macroF1: number | null;
  readonly matthewsCorrelation: number | null;
  readonly recallPerClass: readonly (number | null)[];
  readonly precisionPerClass: readonly (number | null)[];
  readonly majority: number;
  /** K × K, row = true class */
  readonly confusion: readonly number[];
}

/** What follows from a confusion matrix. @param confusion K × K whole numbers, not all 0 */
export function classMetrics(confusion: readonly number[]): ClassMetrics {
  const count = confusion.reduce((a, b) => a + b, 0);
  const accuracy = accuracyOf(confusion) ?? 0;
  return {
    accuracy,
    accuracyInterval: wilsonInterval(Math.round(accuracy * count), count),
    balancedAccuracy: balancedAccuracyOf(confusion),
    macroF1: macroF1Of(confusion),
    matthewsCorrelation: matthewsCorrelationOf(confusion),
    recallPerClass: recallPerClassOf(confusion),
    precisionPerClass: precisionPerClassOf(confusion),
    majority: majorityShareOf(confusion) ?? 0,
    confusion,
  };
}
