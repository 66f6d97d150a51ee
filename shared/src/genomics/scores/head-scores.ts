import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';
import {
  type Concordance,
  type ConcordanceGrid,
  concordanceOf,
  concordanceSums,
  pairsWithin,
  type RiskedUnits,
} from './concordance.js';
import {
  REGRESSION_LENGTH,
  type RegressionScores,
  regressionScoresOf,
  regressionSums,
} from './regression.js';

/** What is summed of a head that is scored. */
export type HeadShape =
  | { readonly kind: 'classes'; readonly classes: number }
  | { readonly kind: 'numbers'; readonly columns: number }
  /** grid: pairs of patients of two sites are ordered, too; risks in (0, 1) */
  | { readonly kind: 'survival'; readonly grid: ConcordanceGrid | null };

/** What a head says of some units, and what is true of them. */
export type HeadScored =
  /** logits row-major [units, classes]; a negative label is missing */
  | { readonly logits: ArrayLike<number>; readonly labels: ArrayLike<number> }
  /** both row-major [units, columns]; a truth of NaN is missing */
  | { readonly predicted: ArrayLike<number>; readonly truth: ArrayLike<number> }
  /** a time of NaN is missing */
  | RiskedUnits;

/** Scores of one head over all units of a sum. */
export type HeadScores =
  /** K × K, row = true class */
  | { readonly kind: 'classes'; readonly confusion: readonly number[] }
  /** null for a column without a number */
  | {
      readonly kind: 'numbers';
      readonly columns: readonly (RegressionScores | null)[];
      readonly count: number;
    }
  | {
      readonly kind: 'survival';
      readonly count: number;
      readonly events: number;
      readonly concordance: Concordance;
    };

/** Numbers of a survival head before its pairs: units, events. */
const SURVIVAL_COUNTS = 2;

/** Numbers that a site sends of a head. */
export function headScoreLength(shape: HeadShape): number {
  switch (shape.kind) {
    case 'classes':
      return shape.classes ** 2;
    case 'numbers':
      return shape.columns * REGRESSION_LENGTH;
    case 'survival': {
      const { grid } = shape;
      return SURVIVAL_COUNTS + (grid ? 5 + 2 * (grid.times.length + 1) * (grid.risks.length + 1) : 2);
    }
  }
}

/**
 * What a site sends of a head, over all its units at once: pairs of units do not add up over parts.
 *
 * @returns shape [headScoreLength]; the caller owns it
 * @throws E_ARGUMENT when head and truth are of different kinds; E_LOSS_NOT_FINITE when an output is NaN or infinite
 */
export function headScoreSums(shape: HeadShape, scored: HeadScored): Float64Array {
  if (shape.kind === 'classes' && 'labels' in scored) return confusionOf(scored, shape.classes);
  if (shape.kind === 'numbers' && 'truth' in scored) return columnSums(scored, shape.columns);
  if (shape.kind === 'survival' && 'risk' in scored) return survivalSums(scored, shape.grid);
  throw new RegulonError('E_ARGUMENT', `a head of ${shape.kind} is scored by another kind of truth`);
}

function verifyFinite(values: ArrayLike<number>): void {
  if (!Array.from(values).every(Number.isFinite))
    throw new RegulonError('E_LOSS_NOT_FINITE', 'an output of the model is not finite');
}

function confusionOf(
  { logits, labels }: { logits: ArrayLike<number>; labels: ArrayLike<number> },
  classes: number,
): Float64Array {
  verifyFinite(logits);
  const confusion = new Float64Array(classes * classes);
  Array.from(labels, (label, unit) => {
    if (!(label >= 0)) return;
    const row = Array.from({ length: classes }, (_, k) => logits[unit * classes + k] ?? NaN);
    add(confusion, label * classes + row.indexOf(Math.max(...row)), 1);
  });
  return confusion;
}

function columnSums(
  { predicted, truth }: { predicted: ArrayLike<number>; truth: ArrayLike<number> },
  columns: number,
): Float64Array {
  verifyFinite(predicted);
  const sums = new Float64Array(columns * REGRESSION_LENGTH);
  const column = (of: ArrayLike<number>, c: number): number[] =>
    Array.from(of).filter((_, i) => i % columns === c);
  for (let c = 0; c < columns; c++)
    sums.set(regressionSums(column(predicted, c), column(truth, c)), c * REGRESSION_LENGTH);
  return sums;
}

function survivalSums(units: RiskedUnits, grid: ConcordanceGrid | null): Float64Array {
  verifyFinite(units.risk);
  const rows = Array.from(units.time, (_, i) => i).filter((i) => !Number.isNaN(units.time[i] ?? NaN));
  const pick = (of: ArrayLike<number>): number[] => rows.map((i) => of[i] ?? NaN);
  const known = { time: pick(units.time), event: pick(units.event), risk: pick(units.risk) };
  const events = known.event.reduce((a, b) => a + b, 0);
  const pairs = pairsWithin(known);
  const onGrid = grid
    ? concordanceSums({ ...known, risk: known.risk.map(squashed) }, grid)
    : [pairs.comparable, pairs.concordant];
  return Float64Array.of(rows.length, events, ...onGrid);
}

/** A risk between 0 and 1 in the same order. */
const squashed = (risk: number): number => 1 / (1 + Math.exp(-risk));

/** Scores of a head from its summed vector. */
export function headScoresOf(shape: HeadShape, sums: Float64Array): HeadScores {
  switch (shape.kind) {
    case 'classes':
      return { kind: 'classes', confusion: Array.from(sums, Math.round) };
    case 'numbers': {
      const part = (c: number): Float64Array =>
        sums.subarray(c * REGRESSION_LENGTH, (c + 1) * REGRESSION_LENGTH);
      const columns = Array.from({ length: shape.columns }, (_, c) => regressionScoresOf(part(c)));
      const count = columns.reduce((n, _, c) => n + Math.round(part(c)[0] ?? 0), 0);
      return { kind: 'numbers', columns, count };
    }
    case 'survival': {
      const [units = 0, events = 0] = sums;
      const rest = sums.subarray(SURVIVAL_COUNTS);
      return {
        ...{ kind: 'survival', count: Math.round(units), events: Math.round(events) },
        concordance: shape.grid ? concordanceOf(rest, shape.grid) : within(rest),
      };
    }
  }
}

function within([comparable = 0, concordant = 0]: Float64Array): Concordance {
  return { withinSites: comparable > 0 ? concordant / comparable : null, overall: null };
}
