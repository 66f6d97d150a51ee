import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

/**
 * Mean and population variance of each feature over the units that have it, in two rounds; what is missing adds nothing.
 *
 * @param largest bound of one prepared value
 */
export function maskedMomentSteps(largest: number, { fractionBits }: StatisticsOptions): StatisticsStep[] {
  return [
    {
      id: 'mean',
      what: 'number of units and, per feature, the sum of its values and how many units have it',
      fractionBits,
      length: (spec) => 1 + 2 * spec.keptGenes.length,
      bound: (weightCap) => weightCap * largest,
      local: (view, spec) => sumsOver(view, spec, (x) => x),
      fit: fitMean,
    },
    {
      id: 'variance',
      what: 'number of units and, per feature, the sum of squared distances from the mean and how many units have it',
      fractionBits,
      length: (spec) => 1 + 2 * spec.keptGenes.length,
      bound: (weightCap) => weightCap * (2 * largest) ** 2,
      local: (view, spec) => {
        const { mean } = requireStep(spec, 'mean');
        return sumsOver(view, spec, (x, j) => (x - (mean[j] ?? 0)) ** 2);
      },
      fit: fitVariance,
    },
  ];
}

/** [units | Σ of each feature | units that have it] */
function sumsOver(
  view: UnitsView,
  spec: FeatureSpecification,
  of: (x: number, feature: number) => number,
): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + 2 * row.length);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    row.forEach((x, j) => {
      if (Number.isNaN(x)) return;
      add(sums, 1 + j, of(x, j));
      add(sums, 1 + row.length + j, 1);
    });
  }
  return sums;
}

/** Σ / units that have it; 0 for a feature that nobody has, which only a preparation without a minimum lets through. */
function meansOf(spec: FeatureSpecification, sums: Float64Array): Float64Array {
  const features = spec.keptGenes.length;
  return Float64Array.from({ length: features }, (_, j) => {
    const units = Math.round(sums[1 + features + j] ?? 0);
    return units > 0 ? (sums[1 + j] ?? 0) / units : 0;
  });
}

function fitMean(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  return withStep(spec, { step: 'mean', units: verifiedUnits(spec, sums), mean: meansOf(spec, sums) });
}

/** No feature is dropped: the inputs of the model count them. A constant one becomes zeros. */
function fitVariance(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  verifiedUnits(spec, sums);
  const { mean } = requireStep(spec, 'mean');
  const variance = meansOf(spec, sums).map((v) => Math.max(0, v));
  return withStep(spec, { step: 'variance', mean, variance, keptGenes: spec.keptGenes });
}
