import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { add, medianOf } from '../numbers.js';
import { type FeatureSpecification, type SizeFactorsFit, withStep } from '../specification.js';
import { requireStep } from '../fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';

/** Reference of the median of ratios: genes without any zero, or geometric means of the positive counts. */
export type SizeFactorMethod = SizeFactorsFit['method'];

/** ln of a count: at most 44 for counts below 2⁶³. */
const LARGEST_LOG = 44;

/**
 * Size factors of DESeq2 (P08): one round for the reference, with `poscounts` a second for the geometric mean of the
 * factors, which becomes 1.
 *
 * @see Anders & Huber 2010, eq. 5; DESeq2 1.38 `estimateSizeFactors`
 */
export function sizeFactorSteps(method: SizeFactorMethod, options: StatisticsOptions): StatisticsStep[] {
  const { fractionBits } = options;
  const reference: StatisticsStep = {
    id: 'size-factors',
    what: 'number of units and, per gene, the sum of the logarithms of its positive counts and the number of zeros',
    fractionBits,
    length: (spec) => 1 + 2 * spec.keptGenes.length,
    bound: (weightCap) => weightCap * LARGEST_LOG,
    local: logSumsOf,
    fit: (spec, sums) => fitReference(spec, sums, method),
  };
  const scale: StatisticsStep = {
    id: 'size-factor-scale',
    what: 'number of units and the sum of the logarithms of their size factors',
    fractionBits,
    length: () => 2,
    bound: (weightCap) => weightCap * LARGEST_LOG,
    local: (view, spec) => logFactorsOf(view, requireStep(spec, 'size-factors')),
    fit: (spec, sums) => {
      const fitted = requireStep(spec, 'size-factors');
      const scaled = { ...fitted, scale: Math.exp((sums[1] ?? 0) / verifiedUnits(spec, sums)) };
      return { ...spec, steps: spec.steps.map((step) => (step === fitted ? scaled : step)) };
    },
  };
  return method === 'poscounts' ? [reference, scale] : [reference];
}

function logSumsOf(view: UnitsView, { keptGenes }: FeatureSpecification): Float64Array {
  const genes = keptGenes.length;
  const sums = new Float64Array(1 + 2 * genes);
  sums[0] = view.n;
  for (let i = 0; i < view.n; i++) {
    for (let j = 0; j < genes; j++) {
      const count = view.values[i * view.genes + (keptGenes[j] ?? 0)] ?? 0;
      if (count > 0) add(sums, 1 + j, Math.log(count));
      else add(sums, 1 + genes + j, 1);
    }
  }
  return sums;
}

function fitReference(
  spec: FeatureSpecification,
  sums: Float64Array,
  method: SizeFactorMethod,
): FeatureSpecification {
  const genes = spec.keptGenes.length;
  const units = verifiedUnits(spec, sums);
  const places = Uint32Array.from(spec.keptGenes.keys()).filter((j) => {
    const zeros = Math.round(sums[1 + genes + j] ?? 0);
    return method === 'ratio' ? zeros === 0 : zeros < units;
  });
  if (places.length === 0) {
    throw new RegulonError(
      'E_UNITS',
      'size-factors: no gene is positive in every unit; take the method poscounts',
    );
  }
  return withStep(spec, {
    step: 'size-factors',
    method,
    referenceGenes: Uint32Array.from(places, (j) => spec.keptGenes[j] ?? 0),
    logMeans: Float64Array.from(places, (j) => (sums[1 + j] ?? 0) / units),
    scale: 1,
  });
}

function logFactorsOf(view: UnitsView, fitted: SizeFactorsFit): Float64Array {
  const sums = Float64Array.of(view.n, 0);
  for (let i = 0; i < view.n; i++) add(sums, 1, Math.log(sizeFactorOf(view, i, fitted)));
  return sums;
}

/** Size factor of one unit: exp(median(ln count − reference)) over its positive reference genes; 1 when it has none. */
export function sizeFactorOf(view: UnitsView, unit: number, fitted: SizeFactorsFit): number {
  const { referenceGenes, logMeans } = fitted;
  const ratios = new Float64Array(referenceGenes.length);
  let positive = 0;
  for (let j = 0; j < referenceGenes.length; j++) {
    const count = view.values[unit * view.genes + (referenceGenes[j] ?? 0)] ?? 0;
    if (count > 0) ratios[positive++] = Math.log(count) - (logMeans[j] ?? 0);
  }
  return positive === 0 ? 1 : Math.exp(medianOf(ratios.subarray(0, positive))) / fitted.scale;
}
