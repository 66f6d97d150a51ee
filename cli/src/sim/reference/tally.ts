import { accuracyOf, balancedAccuracyOf, recallPerClassOf } from '@regulon/shared/genomics';
import type { EvaluateResult } from '@regulon/client/training';
import type { Plan } from '@regulon/shared/plan';
import { addedHeads, headMetricsOf, type HeadSums, mainScoreOf } from '@regulon/shared/program';
import type { ReferenceScore } from './job.js';

/** Sums of scores over test sets, as a run sums them over its sites. */
export class Tally {
  private units = 0;
  private confusion: number[] = [];
  private squaredError = 0;
  private targets = 0;
  private heads: readonly HeadSums[] = [];

  constructor(private readonly plan: Plan) {}

  /** Add the score of one test set. */
  add(result: Pick<EvaluateResult, 'count' | 'confusion' | 'squaredError' | 'targetCount' | 'heads'>): void {
    this.units += result.count;
    result.confusion?.forEach((n, i) => (this.confusion[i] = (this.confusion[i] ?? 0) + n));
    this.squaredError += result.squaredError ?? 0;
    this.targets += result.targetCount ?? 0;
    this.heads = addedHeads(this.heads, result.heads ?? []);
  }

  /** Metrics of everything that was added. */
  score(): ReferenceScore {
    const classes = this.confusion.length > 0;
    const heads = headMetricsOf(this.plan, this.heads).map((metrics) => ({
      ...{ head: metrics.head, value: mainScoreOf(metrics).value },
    }));
    return {
      units: this.units,
      accuracy: classes ? accuracyOf(this.confusion) : null,
      balancedAccuracy: classes ? balancedAccuracyOf(this.confusion) : null,
      recallPerClass: classes ? recallPerClassOf(this.confusion) : null,
      mse: !classes && this.targets > 0 ? this.squaredError / this.targets : null,
      ...(heads.length > 0 ? { heads } : {}),
    };
  }
}
