import { RegulonError } from '../errors/index.js';
import { verifiedUnits } from './cohort.js';
import { type FeatureSpecification, withStep } from './specification.js';
import { requireStep } from './fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { unitTransform } from './transform.js';
import type { UnitsView } from './view.js';

/** A gene whose SD is below this share of its mean, and that varies at no site, is constant up to rounding. */
const CONSTANT = 1e-9;

/**
 * Mean and population variance of each kept gene in two rounds (P04).
 *
 * @param largest bound of one prepared value: 20 for log2(CPM + 1), 64 for log-ratios
 */
export function momentSteps(largest: number, options: StatisticsOptions): StatisticsStep[] {
  const { fractionBits } = options;
  return [
    {
      id: 'mean',
      what: 'number of units and, per gene, the sum of its prepared values',
      fractionBits,
      length: (spec) => 1 + spec.keptGenes.length,
      bound: (weightCap) => weightCap * largest,
      local: sumsOf,
      fit: fitMean,
    },
    {
      id: 'variance',
      what: 'number of units and, per gene, the sum of squared distances from the mean and whether it varies here',
      fractionBits,
      length: (spec) => 1 + 2 * spec.keptGenes.length,
      bound: (weightCap) => weightCap * (2 * largest) ** 2,
      local: squaresOf,
      fit: fitVariance,
    },
  ];
}

function sumsOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const sums = new Float64Array(1 + prepared.length);
  sums[0] = view.n;
  for (let i = 0; i < view.n; i++) {
    prepared.apply(i, row);
    for (let j = 0; j < row.length; j++) sums[1 + j] = (sums[1 + j] ?? 0) + (row[j] ?? 0);
  }
  return sums;
}

function fitMean(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const units = verifiedUnits(spec, sums);
  const mean = new Float64Array(spec.keptGenes.length);
  for (let j = 0; j < mean.length; j++) mean[j] = (sums[1 + j] ?? 0) / units;
  return withStep(spec, { step: 'mean', units, mean });
}

function squaresOf(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const { mean } = requireStep(spec, 'mean');
  const prepared = unitTransform(view, spec);
  const genes = prepared.length;
  const row = new Float64Array(genes);
  const first = new Float64Array(genes);
  const sums = new Float64Array(1 + 2 * genes);
  sums[0] = view.n;
  for (let i = 0; i < view.n; i++) {
    prepared.apply(i, row);
    if (i === 0) first.set(row);
    for (let j = 0; j < genes; j++) {
      const x = row[j] ?? 0;
      const distance = x - (mean[j] ?? 0);
      sums[1 + j] = (sums[1 + j] ?? 0) + distance * distance;
      if (x !== first[j]) sums[1 + genes + j] = 1;
    }
  }
  return sums;
}

function fitVariance(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const fitted = requireStep(spec, 'mean');
  const units = verifiedUnits(spec, sums);
  const genes = spec.keptGenes.length;
  const varies = (j: number): boolean => {
    const sd = Math.sqrt(Math.max(0, sums[1 + j] ?? 0) / units);
    return (
      Math.round(sums[1 + genes + j] ?? 0) > 0 || sd > CONSTANT * Math.max(1, Math.abs(fitted.mean[j] ?? 0))
    );
  };
  const columns = Uint32Array.from({ length: genes }, (_, j) => j).filter(varies);
  if (columns.length === 0) throw new RegulonError('E_UNITS', 'no gene varies over the contributing units');
  return withStep(spec, {
    step: 'variance',
    mean: Float64Array.from(columns, (j) => fitted.mean[j] ?? 0),
    variance: Float64Array.from(columns, (j) => Math.max(0, sums[1 + j] ?? 0) / units),
    keptGenes: Uint32Array.from(columns, (j) => spec.keptGenes[j] ?? 0),
  });
}
