import { add } from '../numbers.js';
import type { BatchFit } from '../specification.js';
import type { UnitTransform } from '../unit-transform.js';
import type { UnitsView } from '../view.js';
import { batchesOf, covariatesOf, modelled } from './batches.js';
import { combatParameters } from './combat-parameters.js';
import type { BatchParameters } from './site-parameters.js';

/** An SD below this counts as constant and is replaced by 1. */
const SMALLEST_SD = 1e-12;

/** Of one batch and gene by gene: mean of what the model leaves, and the sum of squared distances from it. */
export interface BatchMoments {
  readonly units: number;
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Fit a batch step to the batches of a view.
 *
 * @param prepared the units after the steps before it
 * @param known parameters fitted before; only batches without any are fitted (a site that was held out)
 * @returns the known ones, then those of the other batches
 */
export function fitBatches(
  view: UnitsView,
  fit: BatchFit,
  prepared: UnitTransform,
  known: readonly BatchParameters[] = [],
): BatchParameters[] {
  const absent = batchesOf(view).filter(({ batch }) => !known.some((old) => old.batch === batch));
  const added = absent.map(({ batch, units }) => ({
    batch,
    ...parametersOf(fit, batchMoments(view, prepared, units, fit)),
  }));
  return [...known, ...added];
}

/** Two passes over the units of a batch, the modelled part taken away first. */
export function batchMoments(
  view: UnitsView,
  prepared: UnitTransform,
  units: readonly number[],
  fit: BatchFit,
): BatchMoments {
  const genes = prepared.length;
  const row = new Float64Array(genes);
  const left = (unit: number): void => {
    prepared.apply(unit, row);
    const covariates = covariatesOf(view, unit, fit);
    for (let j = 0; j < genes; j++) row[j] = (row[j] ?? 0) - modelled(fit, covariates, j, genes);
  };
  const summed = (of: (x: number, gene: number) => number): Float64Array => {
    const sums = new Float64Array(genes);
    for (const unit of units) {
      left(unit);
      for (let j = 0; j < genes; j++) add(sums, j, of(row[j] ?? 0, j));
    }
    return sums;
  };
  const mean = summed((x) => x / units.length);
  const gaps = mean.some(Number.isNaN) ? summed((x) => (Number.isNaN(x) ? 1 : 0)) : new Float64Array(genes);
  if (mean.some(Number.isNaN)) {
    mean.set(summed((x) => (Number.isNaN(x) ? 0 : x / units.length)));
    scaleUp(mean, gaps, units.length);
  }
  const squares = summed((x, j) => (Number.isNaN(x) ? 0 : (x - (mean[j] ?? 0)) ** 2));
  scaleUp(squares, gaps, units.length);
  return { units: units.length, mean, squares };
}

/** Sums over present values as if all were there; of a gene that the batch does not have they stay 0. */
function scaleUp(sums: Float64Array, gaps: Float64Array, units: number): void {
  gaps.forEach((missing, j) => {
    if (missing > 0 && missing < units) sums[j] = ((sums[j] ?? 0) * units) / (units - missing);
  });
}

function parametersOf(fit: BatchFit, moments: BatchMoments): Omit<BatchParameters, 'batch'> {
  const { units, mean, squares } = moments;
  const ones = new Float64Array(mean.length).fill(1);
  switch (fit.step) {
    case 'batch-center':
      return { shift: mean, scale: ones };
    case 'batch-z-score': {
      const sd = squares.map((sum) => Math.sqrt(sum / units));
      return { shift: mean, scale: sd.map((x) => (x < SMALLEST_SD ? 1 : x)) };
    }
    case 'remove-batch-effect':
      return { shift: mean.map((x, j) => x - (fit.intercept[j] ?? 0)), scale: ones };
    case 'combat':
      return combatParameters(fit, moments);
  }
}
