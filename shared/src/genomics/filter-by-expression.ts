import { RegulonError } from '../errors/index.js';
import { libraryCellsSteps } from './library-cells.js';
import { libraryMedianSteps, medianLibrary } from './library-median.js';
import { type FeatureSpecification, withStep } from './specification.js';
import { requireStep } from './fitted-steps.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { libraryOf } from './library.js';
import type { UnitsView } from './view.js';

/** Parameters of edgeR's filterByExpr (its `min.total.count` and `min.count`). */
export interface ExpressionFilter {
  readonly minTotal: number;
  readonly minCount: number;
}

const LARGE = 10;
const MIN_SHARE = 0.7;
const TOLERANCE = 1e-14;

/**
 * Units that must express a gene: m = 1 / largest leverage of the design; above 10, 10 + 0.7·(m − 10).
 *
 * The classes are disjoint, so the largest leverage is 1 / (units of the smallest class that occurs).
 *
 * @see filterByExpr.default of edgeR 3.40
 */
function minExpressingUnits(classUnits: ArrayLike<number>, units: number): number {
  const sizes = Array.from(classUnits).filter((n) => n > 0);
  const m = sizes.length > 0 ? Math.min(...sizes) : units;
  return m > LARGE ? LARGE + (m - LARGE) * MIN_SHARE : m;
}

/**
 * Low-expression filter P02 as four rounds: three for the median library size (exact in public runs), one for
 * [units with CPM ≥ cut, total count up to minTotal] per kept gene.
 */
export function filterByExpressionSteps(
  filter: ExpressionFilter,
  options: StatisticsOptions,
): StatisticsStep[] {
  const expressing: StatisticsStep = {
    id: 'expressing-units',
    what: 'per gene: number of units above the expression cut, and the total count up to the required minimum',
    fractionBits: options.fractionBits,
    length: (spec) => 2 * spec.keptGenes.length,
    bound: (weightCap) => Math.max(weightCap, filter.minTotal),
    local: (view, spec) => expressingOf(view, spec, filter),
    fit: (spec, sums) => fitFilter(spec, sums, filter),
  };
  return [...(options.isPublic ? libraryMedianSteps : libraryCellsSteps)(options), expressing];
}

const cutOf = (spec: FeatureSpecification, { minCount }: ExpressionFilter): number =>
  (minCount / medianLibrary(spec)) * 1e6;

/** Totals stop at minTotal: the sum passes the minimum exactly when the full total does, and tells no more. */
function expressingOf(view: UnitsView, spec: FeatureSpecification, filter: ExpressionFilter): Float64Array {
  const kept = spec.keptGenes;
  const sums = new Float64Array(2 * kept.length);
  const cut = cutOf(spec, filter);
  for (let i = 0; i < view.n; i++) {
    const start = i * view.genes;
    const millions = libraryOf(view.values, start, view.genes) * 1e-6;
    for (let j = 0; j < kept.length; j++) {
      const count = view.values[start + (kept[j] ?? 0)] ?? 0;
      if (count / millions >= cut) sums[j] = (sums[j] ?? 0) + 1;
      const total = kept.length + j;
      sums[total] = Math.min(filter.minTotal, (sums[total] ?? 0) + count);
    }
  }
  return sums;
}

function fitFilter(
  spec: FeatureSpecification,
  sums: Float64Array,
  filter: ExpressionFilter,
): FeatureSpecification {
  const { classUnits, units } = requireStep(spec, 'counts');
  const minExpressing = minExpressingUnits(classUnits, units);
  const genes = spec.keptGenes.length;
  const keptGenes = spec.keptGenes.filter(
    (_, j) =>
      (sums[j] ?? 0) >= minExpressing - TOLERANCE && (sums[genes + j] ?? 0) >= filter.minTotal - TOLERANCE,
  );
  if (keptGenes.length === 0) throw new RegulonError('E_UNITS', 'no gene passes the expression filter');
  return withStep(spec, {
    step: 'filter-by-expression',
    medianLibrary: medianLibrary(spec),
    cut: cutOf(spec, filter),
    minExpressing,
    minTotal: filter.minTotal,
    keptGenes,
  });
}
