import { batchesOf } from '../batch/batches.js';
import { verifiedUnits } from '../cohort.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, withStep } from '../specification.js';
import { lastStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';

/**
 * How much of the variance of prepared values lies between batches (sites, without batches in the design), as two sums:
 * means, then squares around the mean and around the mean of the own batch. It changes no value, and may stand before
 * and after a correction.
 *
 * @param times how often the step stood before it, from 0
 * @param largest bound of one prepared value
 */
export function batchShareSteps(
  times: number,
  largest: number,
  { fractionBits }: StatisticsOptions,
): StatisticsStep[] {
  return [
    {
      id: `batch-share-mean-${times + 1}`,
      what: 'number of units and batches and, per gene, the sum of its prepared values',
      fractionBits,
      length: (spec) => 2 + spec.keptGenes.length,
      bound: (weightCap) => weightCap * largest,
      local: meansOf,
      fit: (spec, sums) => {
        const units = verifiedUnits(spec, sums);
        const mean = sums.slice(2).map((sum) => sum / units);
        return withStep(spec, {
          step: 'batch-share',
          units,
          batches: Math.round(sums[1] ?? 0),
          mean,
          share: -1,
        });
      },
    },
    {
      id: `batch-share-squares-${times + 1}`,
      what: 'number of units and, per gene, the sums of squared distances from the mean and from the mean of the own batch',
      fractionBits,
      length: (spec) => 1 + 2 * spec.keptGenes.length,
      bound: (weightCap) => weightCap * (2 * largest) ** 2,
      local: squaresOf,
      fit: fitShare,
    },
  ];
}

function meansOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(2 + prepared.length);
  sums.set([view.n, batchesOf(view).length]);
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    row.forEach((x, j) => add(sums, 2 + j, x));
  }
  return sums;
}

function squaresOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const mean = lastStep(spec, 'batch-share')?.mean ?? new Float64Array(0);
  const prepared = unitTransform(view, spec);
  const genes = prepared.length;
  const row = new Float64Array(genes);
  const sums = new Float64Array(1 + 2 * genes);
  sums[0] = view.n;
  for (const { units } of batchesOf(view)) {
    const own = new Float64Array(genes);
    for (const unit of units) {
      prepared.apply(unit, row);
      row.forEach((x, j) => add(own, j, x / units.length));
    }
    for (const unit of units) {
      prepared.apply(unit, row);
      row.forEach((x, j) => {
        add(sums, 1 + j, (x - (mean[j] ?? 0)) ** 2);
        add(sums, 1 + genes + j, (x - (own[j] ?? 0)) ** 2);
      });
    }
  }
  return sums;
}

/** Mean over the genes of 1 − (within / (n − batches)) / (total / (n − 1)), the adjusted R² of the batches; at least 0. */
function fitShare(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const units = verifiedUnits(spec, sums);
  const fitted = lastStep(spec, 'batch-share');
  if (!fitted) return spec;
  const genes = spec.keptGenes.length;
  const freedom = Math.max(1, units - fitted.batches);
  const shares = Array.from({ length: genes }, (_, j) => {
    const [total, within] = [sums[1 + j] ?? 0, sums[1 + genes + j] ?? 0];
    return total > 0 ? Math.max(0, 1 - within / freedom / (total / (units - 1))) : 0;
  });
  const share = shares.reduce((sum, x) => sum + x, 0) / genes;
  const done = { ...fitted, mean: new Float64Array(0), share };
  return { ...spec, steps: spec.steps.map((step) => (step === fitted ? done : step)) };
}
