import { RegulonError } from '../../errors/index.js';
import { verifiedUnits } from '../cohort.js';
import { MIN_UNITS } from '../counts-step.js';
import { add } from '../numbers.js';
import { type FeatureSpecification, specificationBefore, withStep } from '../specification.js';
import type { StatisticsOptions, StatisticsStep } from '../statistics-step.js';
import { unitTransform } from '../transform.js';
import type { UnitsView } from '../view.js';
import { type ImputeNeighboursFit, NO_GENE } from './impute-fit.js';

/** Genes of all pairs: half a million sums. */
const MOST_GENES = 1000;

/** Pairs of different genes. */
const pairsOf = (genes: number): number => (genes * (genes - 1)) / 2;

/**
 * Imputation by the nearest genes (P17): the mean squared distance of each pair of genes over the units with both, from
 * all sites, so that the neighbours are those of the pooled units. A count round before drops pairs that too few units
 * or sites have.
 *
 * @param neighbours k genes that a missing value is averaged from
 * @param largest bound of one prepared value
 * @see Troyanskaya et al. 2001; Bioconductor impute 1.72 `impute.knn`, up to its largest block
 */
export function imputeNeighboursSteps(
  neighbours: number,
  largest: number,
  options: StatisticsOptions,
): StatisticsStep[] {
  const { fractionBits, uMin, minUnits = MIN_UNITS } = options;
  return [
    {
      id: 'impute-pairs',
      what: 'number of units and, per pair of genes, how many units have both, and whether any has',
      fractionBits,
      length: ({ keptGenes: { length } }) => {
        if (length <= MOST_GENES) return 1 + 2 * pairsOf(length);
        throw new RegulonError(
          'E_UNITS',
          `impute-neighbours: the pairs of ${length} genes are too many: at most ${MOST_GENES} genes, or impute-low-rank`,
        );
      },
      bound: (weightCap) => weightCap,
      local: pairCounts,
      fit: (spec, sums) => {
        verifiedUnits(spec, sums);
        const count = pairsOf(spec.keptGenes.length);
        const pairs = Uint32Array.from({ length: count }, (_, p) => {
          const units = Math.round(sums[1 + p] ?? 0);
          const sites = Math.round(sums[1 + count + p] ?? 0);
          return units >= Math.max(1, minUnits) && sites >= uMin ? units : 0;
        });
        return withStep(spec, { step: 'impute-neighbours', neighbours, pairs, nearest: new Uint32Array(0) });
      },
    },
    {
      id: 'impute-distances',
      what: 'number of units and, per pair of genes that enough units have, the sum of squared differences of their values',
      fractionBits,
      length: (spec) => 1 + underWay(spec).fit.pairs.reduce((sum, units) => sum + (units > 0 ? 1 : 0), 0),
      bound: (weightCap) => weightCap * (2 * largest) ** 2,
      local: pairDistances,
      fit: fitNearest,
    },
  ];
}

/** The step under way, and the specification without it. */
function underWay(spec: FeatureSpecification): { fit: ImputeNeighboursFit; before: FeatureSpecification } {
  const fit = spec.steps.at(-1);
  if (fit?.step !== 'impute-neighbours' || fit.nearest.length > 0)
    throw new RegulonError('E_STATE', 'the pairs of genes are not counted yet');
  return { fit, before: specificationBefore(spec, spec.steps.length - 1) };
}

/** Visit the pairs of a unit; `visit` gets the place of the pair and the difference, NaN where one value is missing. */
function eachPair(row: Float64Array, visit: (pair: number, difference: number) => void): void {
  let pair = 0;
  for (let a = 0; a < row.length; a++) {
    const own = row[a] ?? NaN;
    for (let b = a + 1; b < row.length; b++, pair++) visit(pair, own - (row[b] ?? NaN));
  }
}

function pairCounts(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const prepared = unitTransform(view, spec);
  const row = new Float64Array(prepared.length);
  const count = pairsOf(row.length);
  const sums = new Float64Array(1 + 2 * count);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    eachPair(row, (pair, difference) => {
      if (Number.isNaN(difference)) return;
      add(sums, 1 + pair, 1);
      sums[1 + count + pair] = 1;
    });
  }
  return sums;
}

function pairDistances(view: UnitsView, spec: FeatureSpecification): Float64Array {
  const { fit, before } = underWay(spec);
  const prepared = unitTransform(view, before);
  const row = new Float64Array(prepared.length);
  const places = new Uint32Array(fit.pairs.length);
  let released = 0;
  fit.pairs.forEach((units, pair) => (places[pair] = units > 0 ? ++released : 0));
  const sums = new Float64Array(1 + released);
  sums[0] = view.n;
  for (let unit = 0; unit < view.n; unit++) {
    prepared.apply(unit, row);
    eachPair(row, (pair, difference) => {
      const place = places[pair] ?? 0;
      if (place > 0 && !Number.isNaN(difference)) add(sums, place, difference * difference);
    });
  }
  return sums;
}

/** The k nearest of each gene by mean squared distance, ties by gene order. */
function fitNearest(spec: FeatureSpecification, sums: Float64Array): FeatureSpecification {
  const { fit, before } = underWay(spec);
  verifiedUnits(spec, sums);
  const genes = spec.keptGenes.length;
  const distances = new Float64Array(genes * genes).fill(Infinity);
  let [pair, place] = [0, 0];
  for (let a = 0; a < genes; a++) {
    for (let b = a + 1; b < genes; b++, pair++) {
      const units = fit.pairs[pair] ?? 0;
      if (units === 0) continue;
      const distance = (sums[++place] ?? 0) / units;
      distances[a * genes + b] = distances[b * genes + a] = distance;
    }
  }
  const nearest = new Uint32Array(genes * fit.neighbours).fill(NO_GENE);
  for (let gene = 0; gene < genes; gene++) {
    const own = distances.subarray(gene * genes, (gene + 1) * genes);
    const order = [...own.keys()].filter((other) => Number.isFinite(own[other]));
    order.sort((a, b) => (own[a] ?? 0) - (own[b] ?? 0) || a - b);
    nearest.set(order.slice(0, fit.neighbours), gene * fit.neighbours);
  }
  return withStep(before, { ...fit, pairs: new Uint32Array(0), nearest });
}
