import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

/**
 * Quantile normalisation (P06) in one round: rank by rank the sum of the sorted values of all units.
 *
 * @param largest bound of one prepared value
 * @see Bolstad et al. 2003; limma 3.54 `normalizeQuantiles` with ties
 */
export function quantileStep(largest: number, options: StatisticsOptions): StatisticsStep {
  return {
    id: 'quantiles',
    what: 'number of units and, per rank, the sum over units of their value of that rank',
    fractionBits: options.fractionBits,
    length: (spec) => 1 + spec.keptGenes.length,
    bound: (weightCap) => weightCap * largest,
    local: rankSumsOf,
    fit: (spec, sums) => {
      const units = verifiedUnits(spec, sums);
      return withStep(spec, {
        step: 'quantile-normalize',
        reference: sums.slice(1).map((sum) => sum / units),
      });
    },
  };
}

function rankSumsOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + prepared.length);
  sums[0] = view.n;
  for (let i = 0; i < view.n; i++) {
    prepared.apply(i, row);
    row.sort().forEach((x, rank) => add(sums, 1 + rank, x));
  }
  return sums;
}
