import { RegulonError } from '../../errors/index.js';
import { type Calibration, CALIBRATION_LENGTH, calibrationOf, calibrationSums } from './calibration.js';
import type { Interval } from './confidence.js';
import { type CurvePlace, precisionRecallOf, rocAreaInterval, rocCurveOf } from './curves.js';
import {
  REGRESSION_LENGTH,
  type RegressionScores,
  regressionScoresOf,
  regressionSums,
} from './regression.js';
import { averagePrecisionOf, type Bounded, rocAreaOf, scoreHistogram } from './score-histogram.js';
import { withoutSmallCells } from './small-cells.js';

/** What is summed beside confusion matrix or squared error, and how finely. */
export interface ScoreShape {
  /** `roc` and `calibration` of classes, `errors` of numbers; in this order in the vector */
  readonly names: readonly ('roc' | 'calibration' | 'errors')[];
  /** 0 where the task has none */
  readonly classes: number;
  /** cells of a score histogram */
  readonly cells: number;
}

/** Outputs of a model for some units, and what is true of them. */
export type Scored =
  /** logits row-major [units, classes] */
  | { readonly logits: ArrayLike<number>; readonly labels: ArrayLike<number> }
  /** aligned; a truth that is NaN was not observed */
  | { readonly predicted: ArrayLike<number>; readonly truth: ArrayLike<number> };

/** Curves of one class against all others. */
export interface ClassCurves {
  readonly rocArea: Bounded | null;
  /** 95 %, sampling error only: the bound of the binning is apart */
  readonly rocInterval: Interval | null;
  readonly averagePrecision: Bounded | null;
  /** false against true positive rate */
  readonly roc: readonly CurvePlace[];
  /** recall against precision */
  readonly precisionRecall: readonly CurvePlace[];
}

/** Scores that an evaluation was asked for, over the units of all sites. */
export interface ScoreReport {
  /** null for a class whose cells would show fewer than five units */
  readonly classes?: readonly (ClassCurves | null)[];
  readonly calibration?: Calibration | null;
  readonly errors?: RegressionScores | null;
}

const lengthOf = (name: ScoreShape['names'][number], { classes, cells }: ScoreShape): number => {
  switch (name) {
    case 'roc':
      return classes * 2 * cells;
    case 'calibration':
      return CALIBRATION_LENGTH;
    case 'errors':
      return REGRESSION_LENGTH;
  }
};

/** Numbers that a site sends. */
export const scoreLength = (shape: ScoreShape): number =>
  shape.names.reduce((sum, name) => sum + lengthOf(name, shape), 0);

/**
 * What a site sends of some units; the sums of several calls add up.
 *
 * @returns shape [scoreLength]; the caller owns it
 * @throws E_ARGUMENT when a score has another kind of truth than the units
 * @throws E_LOSS_NOT_FINITE when an output is NaN or infinite
 */
export function scoreSums(shape: ScoreShape, scored: Scored): Float64Array {
  const sums = new Float64Array(scoreLength(shape));
  const p = 'logits' in scored ? softmax(scored.logits, shape.classes) : undefined;
  let at = 0;
  for (const name of shape.names) {
    sums.set(partOf(name, shape, scored, p), at);
    at += lengthOf(name, shape);
  }
  return sums;
}

function partOf(
  name: ScoreShape['names'][number],
  { classes, cells }: ScoreShape,
  scored: Scored,
  p: Float64Array | undefined,
): Float64Array {
  if ('predicted' in scored && name === 'errors') return regressionSums(scored.predicted, scored.truth);
  if (!('labels' in scored) || !p || name === 'errors')
    throw new RegulonError('E_ARGUMENT', `${name} does not fit the targets of this task`);
  const labels = Array.from(scored.labels);
  if (name === 'calibration') return calibrationSums(p, labels, classes);
  const histograms = new Float64Array(classes * 2 * cells);
  for (let c = 0; c < classes; c++) {
    const scores = labels.map((_, unit) => p[unit * classes + c] ?? NaN);
    const positive = labels.map((label) => label === c);
    histograms.set(scoreHistogram(scores, positive, cells), c * 2 * cells);
  }
  return histograms;
}

/** Probabilities of each row. @throws E_LOSS_NOT_FINITE */
function softmax(logits: ArrayLike<number>, classes: number): Float64Array {
  const p = new Float64Array(logits.length);
  for (let at = 0; at < p.length; at += classes) {
    const row = Array.from({ length: classes }, (_, c) => logits[at + c] ?? NaN);
    const largest = Math.max(...row);
    if (!row.every(Number.isFinite))
      throw new RegulonError('E_LOSS_NOT_FINITE', 'an output of the model is not finite');
    const odds = row.map((z) => Math.exp(z - largest));
    const total = odds.reduce((a, b) => a + b, 0);
    // rounding may leave the sum a hair above 1
    odds.forEach((value, c) => (p[at + c] = Math.min(1, value / total)));
  }
  return p;
}

/**
 * Scores from summed vectors.
 *
 * @param isPublic else cells of fewer than five units are merged with their neighbours, or not shown
 */
export function scoreReportOf(shape: ScoreShape, sums: Float64Array, isPublic: boolean): ScoreReport {
  const { classes, cells } = shape;
  let report: ScoreReport = {};
  let at = 0;
  for (const name of shape.names) {
    const part = sums.subarray(at, (at += lengthOf(name, shape)));
    switch (name) {
      case 'roc': {
        const histogram = (c: number): Float64Array => part.subarray(c * 2 * cells, (c + 1) * 2 * cells);
        const curves = Array.from({ length: classes }, (_, c) => curvesOf(histogram(c), isPublic));
        report = { ...report, classes: curves };
        break;
      }
      case 'calibration':
        report = { ...report, calibration: calibrationOf(part, isPublic) };
        break;
      case 'errors':
        report = { ...report, errors: regressionScoresOf(part) };
        break;
    }
  }
  return report;
}

function curvesOf(histogram: Float64Array, isPublic: boolean): ClassCurves | null {
  const shown = isPublic ? histogram : withoutSmallCells(histogram);
  if (!shown) return null;
  return {
    ...{ rocArea: rocAreaOf(shown), rocInterval: rocAreaInterval(shown) },
    averagePrecision: averagePrecisionOf(shown),
    ...{ roc: rocCurveOf(shown), precisionRecall: precisionRecallOf(shown) },
  };
}
