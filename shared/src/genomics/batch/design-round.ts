import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { MIN_UNITS } from '../counts-step.js';
import { countPatients } from '../patient-counts.js';
import type { FeatureSpecification } from '../specification.js';
import type { CovariateColumn, StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import type { UnitsView } from '../view.js';
import { batchesOf, covariateOf } from './batches.js';

/** A model has at most one column for so many units. */
const UNITS_PER_COLUMN = 10;

/** Pairs (a, b), a < b, of some columns, in order. */
const pairsOf = (columns: readonly number[]): [number, number][] =>
  columns.flatMap((a, i) => columns.slice(i + 1).map((b): [number, number] => [a, b]));

/**
 * The count round before a linear model: a column that is non-zero for fewer than five units, or nested in another up
 * to a few, would make a later sum the copy of some profiles. Such a design is refused here, before any value is summed.
 *
 * @param columns positions in the plan's design
 */
export function designRound(columns: readonly number[], options: StatisticsOptions): StatisticsStep {
  const design = columns.map(
    (column) => options.covariates?.[column] ?? { name: `${column}`, kind: 'number' as const },
  );
  const indicators = [...design.keys()].filter((c) => design[c]?.kind === 'indicator');
  const pairs = pairsOf(indicators);
  const p = columns.length;
  return {
    id: 'design',
    what: 'per covariate: number of units where it is not 0, and whether there are any; units in two levels; units in none; whether this site has too few units for its columns',
    fractionBits: options.fractionBits,
    length: () => 3 + 2 * p + pairs.length,
    bound: (weightCap) => weightCap,
    local: (view) => countsOf(view, columns, pairs, indicators),
    fit: (spec, sums) => {
      verifyDesign(spec, sums, { design, indicators, options });
      return spec;
    },
  };
}

function countsOf(
  view: UnitsView,
  columns: readonly number[],
  pairs: readonly [number, number][],
  indicators: readonly number[],
): Float64Array {
  const p = columns.length;
  const sums = new Float64Array(3 + 2 * p + pairs.length);
  sums[0] = view.n;
  const levels = p + pairs.length + 1;
  const counts = countPatients(view, levels + 1, (unit, mark) => {
    mark(levels);
    const on = columns.map((column) => covariateOf(view, unit, column) !== 0);
    on.forEach((set, c) => set && mark(c));
    pairs.forEach(([a, b], k) => on[a] && on[b] && mark(p + k));
    if (!indicators.some((c) => on[c])) mark(p + pairs.length);
  });
  sums.set(counts.subarray(0, p), 2);
  sums.set(counts.subarray(p, levels), 2 + 2 * p);
  for (let c = 0; c < p; c++) sums[2 + p + c] = (sums[2 + c] ?? 0) > 0 ? 1 : 0;
  const own = sums.subarray(2 + p, 2 + 2 * p).reduce((a, b) => a + b, 0) + batchesOf(view).length;
  sums[1] = view.n > 0 && (counts[levels] ?? 0) <= own ? 1 : 0;
  return sums;
}

interface Design {
  readonly design: readonly CovariateColumn[];
  readonly indicators: readonly number[];
  readonly options: StatisticsOptions;
}

function verifyDesign(
  spec: FeatureSpecification,
  sums: Float64Array,
  { design, indicators, options }: Design,
): void {
  const refuse = (rule: string): never => {
    throw new RegulonError('E_DESIGN', `design: ${rule}`);
  };
  const { minUnits = MIN_UNITS, uMin } = options;
  const p = design.length;
  const at = (k: number): number => Math.round(sums[k] ?? 0);
  const units = verifiedUnits(spec, sums);
  if (at(1) > 0) refuse('a site has no more units than columns of its own');
  if (p * UNITS_PER_COLUMN > units)
    refuse(`${p} columns need ${p * UNITS_PER_COLUMN} units, there are ${units}`);
  design.forEach(({ name }, c) => {
    if (at(2 + c) < minUnits) refuse(`covariate ${name} is not 0 for fewer than ${minUnits} units`);
    if (at(2 + p + c) < uMin) refuse(`covariate ${name} is not 0 at fewer than ${uMin} sites`);
  });
  pairsOf(indicators).forEach(([a, b], k) => {
    if (at(2 + 2 * p + k) > 0)
      refuse(`levels ${design[a]?.name} and ${design[b]?.name} have units in common`);
  });
  const rest = at(sums.length - 1);
  if (indicators.length > 0 && rest > 0 && rest < minUnits)
    refuse(`fewer than ${minUnits} units are in no level`);
}
