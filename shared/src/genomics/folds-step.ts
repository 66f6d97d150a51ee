import { RegulonError } from '../errors/index.js';
import { covariateOf } from './batch/batches.js';
import { MIN_UNITS } from './counts-step.js';
import { FOLDS } from './folds.js';
import { countPatients } from './patient-counts.js';
import { type FeatureSpecification, withStep } from './specification.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import type { UnitsView } from './view.js';

/**
 * The first round of each arm of a run with folds that is not public: the sums of two arms subtract to one fold, and an
 * evaluation is a sum over one, so every fold must be fit to be released by itself. Units of each fold over the whole
 * dataset: all, of each class, non-zero in each covariate, non-zero in each gene; and whether there are any at the site.
 *
 * Genes below the disclosure minimum in any fold are dropped from every arm; a class or covariate below it ends the run.
 */
export function foldsStep(options: StatisticsOptions): StatisticsStep {
  const { classes, genes, covariates = [] } = options;
  const width = 1 + classes + covariates.length + genes;
  return {
    id: 'folds',
    what: 'number of units of each of the five folds: all, of each class, with each covariate, and with a non-zero value per gene',
    over: 'dataset',
    fractionBits: options.fractionBits,
    length: () => 2 * FOLDS * width,
    bound: (weightCap) => weightCap,
    local: (view) => countsOf(view, options, width),
    fit: (spec, sums) => fitFolds(spec, sums, options, width),
  };
}

/** [units of a fold in each column, fold by fold | 1 where there are any] */
function countsOf(
  view: UnitsView,
  { classes, genes, covariates = [] }: StatisticsOptions,
  width: number,
): Float64Array {
  const half = FOLDS * width;
  const sums = new Float64Array(2 * half);
  const counts = countPatients(view, half, (unit, mark) => {
    const from = (view.folds?.[unit] ?? 0) * width;
    mark(from);
    if (classes > 0) mark(from + 1 + (view.labels?.[unit] ?? 0));
    covariates.forEach((_, c) => covariateOf(view, unit, c) !== 0 && mark(from + 1 + classes + c));
    const first = from + 1 + classes + covariates.length;
    for (let gene = 0; gene < genes; gene++) {
      const value = view.values[unit * genes + gene] ?? NaN;
      if (value !== 0 && !Number.isNaN(value)) mark(first + gene);
    }
  });
  sums.set(counts);
  for (let k = 0; k < half; k++) sums[half + k] = (sums[k] ?? 0) > 0 ? 1 : 0;
  return sums;
}

function fitFolds(
  spec: FeatureSpecification,
  sums: Float64Array,
  { classes, covariates = [], uMin, minUnits = MIN_UNITS }: StatisticsOptions,
  width: number,
): FeatureSpecification {
  const whole = (column: number): boolean =>
    Array.from({ length: FOLDS }, (_, fold) => fold * width + column).every(
      (at) => Math.round(sums[at] ?? 0) >= minUnits && Math.round(sums[FOLDS * width + at] ?? 0) >= uMin,
    );
  const named = ['all units', ...Array.from({ length: classes }, (_, c) => `class ${c + 1}`)];
  named.push(...covariates.map(({ name }) => `covariate ${name}`));
  const small = named.findIndex((_, column) => !whole(column));
  if (small >= 0) {
    throw new RegulonError(
      'E_UNITS',
      `folds: ${named[small]}: a fold has fewer than ${minUnits} units, or fewer than ${uMin} sites with any; take the split none`,
    );
  }
  const keptGenes = spec.keptGenes.filter((gene) => whole(named.length + gene));
  if (keptGenes.length === 0)
    throw new RegulonError(
      'E_UNITS',
      `folds: no gene is non-zero for ${minUnits} units at ${uMin} sites in every fold`,
    );
  return withStep(spec, { step: 'folds', keptGenes });
}
