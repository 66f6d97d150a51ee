import { accuracyOf, balancedAccuracyOf, recallPerClassOf } from '@regulon/shared/genomics';
import type { EvaluateResult } from '@regulon/client/training';
import type { ReferenceScore } from './job.js';

/** Sums of scores over test sets, as a run sums them over its sites. */
export class Tally {
  private units = 0;
  private confusion: number[] = [];
  private squaredError = 0;
  private targets = 0;

  /** Add the score of one test set. */
  add(result: Pick<EvaluateResult, 'count' | 'confusion' | 'squaredError' | 'targetCount'>): void {
    this.units += result.count;
    result.confusion?.forEach((n, i) => (this.confusion[i] = (this.confusion[i] ?? 0) + n));
    this.squaredError += result.squaredError ?? 0;
    this.targets += result.targetCount ?? 0;
  }

  /** Metrics of everything that was added. */
  score(): ReferenceScore {
    const classes = this.confusion.length > 0;
    return {
      units: this.units,
      accuracy: classes ? accuracyOf(this.confusion) : null,
      balancedAccuracy: classes ? balancedAccuracyOf(this.confusion) : null,
      recallPerClass: classes ? recallPerClassOf(this.confusion) : null,
      mse: !classes && this.targets > 0 ? this.squaredError / this.targets : null,
    };
  }
}
