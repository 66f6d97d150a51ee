import {
  type Concordance,
  headScoreLength,
  type HeadScores,
  headScoresOf,
  type HeadShape,
  type RegressionScores,
} from '../genomics/index.js';
import { headTargets, type HeadTarget, type Plan } from '../plan/index.js';
import { type ClassMetrics, classMetrics } from './class-metrics.js';

/** Cells of the risk between 0 and 1 by which pairs of patients of two sites are ordered. */
const RISK_CELLS = 50;
/** Σ loss and its terms stand before the scores of a head. */
const LOSS_LENGTH = 2;

/** What one site knows of a head after scoring it. */
export interface HeadSums {
  readonly lossSum: number;
  /** numbers that `lossSum` sums over */
  readonly targetCount: number;
  /** what `headScoreSums` gives */
  readonly scores: ArrayLike<number>;
}

/** Scores of one head over the units that have its target. */
export interface HeadMetrics {
  /** name of its block */
  readonly head: string;
  /** units with a target; of several columns of numbers, the numbers; of a track, the bases */
  readonly count: number;
  /** mean of a target; of a Cox head, of an event */
  readonly loss?: number;
  readonly classes?: ClassMetrics;
  /** one a column, in the unit of the data; null for a column without a number */
  readonly numbers?: readonly (RegressionScores | null)[];
  readonly survival?: { readonly events: number; readonly concordance: Concordance };
}

/**
 * What is summed of each head, in the order of the model.
 *
 * Pairs of patients of two sites are ordered where all data are public and one model scores all of them.
 */
export function headShapesOf({ plan, isPublic }: { plan: Plan; isPublic: boolean }): HeadShape[] {
  return headTargets(plan).map(({ target, loss }): HeadShape => {
    switch (target.kind) {
      case 'classes':
        return { kind: 'classes', classes: target.classes.length };
      case 'numbers':
        return { kind: 'numbers', columns: target.columns.length };
      case 'track':
        return target.classes
          ? { kind: 'classes', classes: target.classes.length }
          : { kind: 'numbers', columns: 1 };
      case 'survival': {
        const times = target.times ?? (loss.type === 'discrete-time' ? loss.edges : undefined);
        const mayOrder = isPublic && plan.evaluation.split === 'holdout' && times !== undefined;
        const risks = Array.from({ length: RISK_CELLS - 1 }, (_, i) => (i + 1) / RISK_CELLS);
        return { kind: 'survival', grid: mayOrder ? { times, risks } : null };
      }
    }
  });
}

/** Numbers of the heads in a block of the evaluation vector. */
export const headsLength = (shapes: readonly HeadShape[]): number =>
  shapes.reduce((sum, shape) => sum + LOSS_LENGTH + headScoreLength(shape), 0);

/** The numbers of the heads, one head after the other. */
export function encodeHeads(heads: readonly HeadSums[]): number[] {
  return heads.flatMap(({ lossSum, targetCount, scores }) => [lossSum, targetCount, ...Array.from(scores)]);
}

/** Sums of a head over two sets of units; pairs of units are those inside each set. */
export function addedHeads(before: readonly HeadSums[], heads: readonly HeadSums[]): HeadSums[] {
  return heads.map(({ lossSum, targetCount, scores }, h) => ({
    lossSum: lossSum + (before[h]?.lossSum ?? 0),
    targetCount: targetCount + (before[h]?.targetCount ?? 0),
    scores: Array.from(scores, (x, i) => x + (before[h]?.scores[i] ?? 0)),
  }));
}

/** Metrics of each head where all units may be seen. */
export function headMetricsOf(plan: Plan, heads: readonly HeadSums[]): HeadMetrics[] {
  if (heads.length === 0) return [];
  return decodeHeads(plan, headShapesOf({ plan, isPublic: true }), Float64Array.from(encodeHeads(heads)));
}

/** Metrics of each head from the summed numbers. @param sums of length `headsLength` */
export function decodeHeads(plan: Plan, shapes: readonly HeadShape[], sums: Float64Array): HeadMetrics[] {
  const heads = headTargets(plan);
  let at = 0;
  return shapes.flatMap((shape, h) => {
    const [lossSum = 0, terms = 0] = sums.subarray(at, at + LOSS_LENGTH);
    const end = at + LOSS_LENGTH + headScoreLength(shape);
    const scores = headScoresOf(shape, sums.subarray(at + LOSS_LENGTH, end));
    at = end;
    const head = heads[h];
    return head ? [metricsOf(head, scores, terms > 0 ? { loss: lossSum / terms } : {})] : [];
  });
}

function metricsOf({ target }: HeadTarget, scores: HeadScores, loss: { loss?: number }): HeadMetrics {
  const { head } = target;
  // bases of one sequence are not independent: an interval over them would be too narrow
  const isTrack = target.kind === 'track';
  switch (scores.kind) {
    case 'classes': {
      const count = scores.confusion.reduce((a, b) => a + b, 0);
      if (count === 0) return { head, count };
      const classes = classMetrics(scores.confusion);
      return { head, count, ...loss, classes: isTrack ? { ...classes, accuracyInterval: null } : classes };
    }
    case 'numbers': {
      const { count, columns } = scores;
      const unit = target.kind === 'numbers' ? target.scale : 1;
      const numbers = columns.map((column) => column && inUnit(column, unit));
      if (!isTrack) return { head, count, ...loss, numbers };
      return { head, count, ...loss, numbers: numbers.map((own) => own && { ...own, maeInterval: null }) };
    }
    case 'survival': {
      const { count, events, concordance } = scores;
      return { head, count, ...loss, survival: { events, concordance } };
    }
  }
}

/** Errors of a scaled target in the unit of the data. */
function inUnit({ mae, maeInterval, mse, r2 }: RegressionScores, unit: number): RegressionScores {
  const interval = maeInterval && ([maeInterval[0] * unit, maeInterval[1] * unit] as const);
  return { mae: mae * unit, maeInterval: interval, mse: mse * unit ** 2, r2 };
}

/** The one number that a head is told by: accuracy, R² of its first column, or C inside the sites. */
export function mainScoreOf({ classes, numbers, survival }: HeadMetrics): {
  readonly name: string;
  readonly value: number | null;
} {
  if (classes) return { name: 'accuracy', value: classes.accuracy };
  if (survival) return { name: 'C-index', value: survival.concordance.withinSites };
  return { name: 'R²', value: numbers?.[0]?.r2 ?? null };
}
