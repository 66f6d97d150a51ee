import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

/** Gene means over present values, in one round. @param largest bound of one prepared value */
export function imputeMeanStep(largest: number, options: StatisticsOptions): StatisticsStep {
  return presentMeanStep('impute-mean', largest, options, (spec, mean) =>
    withStep(spec, { step: 'impute-mean', mean }),
  );
}

/** A round of means over present values. @param fit what follows from them */
export function presentMeanStep(
  id: string,
  largest: number,
  { fractionBits }: StatisticsOptions,
  fit: (spec: FeatureSpecification, mean: Float64Array) => FeatureSpecification,
): StatisticsStep {
  return {
    id,
    what: 'number of units and, per gene, the sum and the number of its present values',
    fractionBits,
    length: (spec) => 1 + 2 * spec.keptGenes.length,
    bound: (weightCap) => weightCap * largest,
    local: presentSums,
    fit: (spec, sums) => {
      verifiedUnits(spec, sums);
      const genes = spec.keptGenes.length;
      const mean = sums.slice(1, 1 + genes).map((sum, j) => sum / Math.round(sums[1 + genes + j] ?? 0));
      if (!mean.every(Number.isFinite))
        throw new RegulonError('E_UNITS', `${id}: a gene has no value in any unit`);
      return fit(spec, mean);
    },
  };
}

function presentSums(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + 2 * row.length);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    for (let j = 0; j < row.length; j++) {
      const x = row[j] ?? NaN;
      if (Number.isNaN(x)) continue;
      add(sums, 1 + j, x);
      add(sums, 1 + row.length + j, 1);
    }
  }
  return sums;
}
