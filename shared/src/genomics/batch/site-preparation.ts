import { add } from '../numbers.js';
import { type BatchFit, type FeatureSpecification, genesBefore } from '../specification.js';
import { type UnitTransform, unitTransformWith } from '../unit-transform.js';
import type { UnitsView } from '../view.js';
import { batchesOf, covariatesOf, modelled } from './batches.js';
import { combatParameters } from './combat-parameters.js';
import { type BatchParameters, isBatchStep, type SitePreparation } from './site-parameters.js';

/** An SD below this counts as constant and is replaced by 1. */
const SMALLEST_SD = 1e-12;

/** Of one batch and gene by gene: mean of what the model leaves, and the sum of squared distances from it. */
export interface BatchMoments {
  readonly units: number;
  readonly mean: Float64Array;
  readonly squares: Float64Array;
}

/**
 * Fit the batch effects of a site on its training units, step by step.
 *
 * @param known parameters fitted before; only batches without any are fitted (a site that was held out)
 */
export function sitePreparation(
  view: UnitsView,
  spec: FeatureSpecification,
  known: SitePreparation = new Map(),
): SitePreparation {
  const fitted = new Map<number, readonly BatchParameters[]>();
  spec.steps.forEach((fit, index) => {
    if (!isBatchStep(fit)) return;
    const keptGenes = genesBefore(spec, index);
    const prefix = { ...spec, keptGenes, steps: spec.steps.slice(0, index) };
    const prepared = unitTransformWith(view, prefix, fitted);
    const before = known.get(index) ?? [];
    const absent = batchesOf(view).filter(({ batch }) => !before.some((old) => old.batch === batch));
    const added = absent.map(({ batch, units }) => ({
      batch,
      ...parametersOf(fit, batchMoments(view, prepared, units, fit)),
    }));
    fitted.set(index, [...before, ...added]);
  });
  return fitted;
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
  const left = (unit: number): Float64Array => {
    prepared.apply(unit, row);
    const covariates = covariatesOf(view, unit, fit);
    for (let j = 0; j < genes; j++) row[j] = (row[j] ?? 0) - modelled(fit, covariates, j, genes);
    return row;
  };
  const [mean, squares] = [new Float64Array(genes), new Float64Array(genes)];
  for (const unit of units) left(unit).forEach((x, j) => add(mean, j, x / units.length));
  for (const unit of units) left(unit).forEach((x, j) => add(squares, j, (x - (mean[j] ?? 0)) ** 2));
  return { units: units.length, mean, squares };
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
