import { RegulonError } from '../errors/index.js';
import { verifiedUnits } from './cohort.js';
import { pairs, productsOfPairs } from './pca/gene-pairs.js';
import { type CoExpressionFit, type FeatureSpecification, withStep } from './specification.js';
import type { StatisticsOptions, StatisticsStep } from './statistics-step.js';
import { sumOver } from './unit-sums.js';

/** Genes of a graph: half a million sums. */
const MOST_GENES = 1000;

/**
 * A graph of genes from the correlations over the training units: z-scores are summed pair by pair, and each gene is
 * joined with the genes whose correlation with it is largest, whatever its sign.
 *
 * @param neighbours edges that each gene asks for; it gets more where others ask for it
 * @param largest bound of one prepared value
 */
export function coExpressionStep(
  neighbours: number,
  largest: number,
  { fractionBits }: StatisticsOptions,
): StatisticsStep {
  return {
    id: 'co-expression',
    what: 'number of units and, per pair of genes, the sum of products of their z-scores',
    fractionBits,
    length: (spec) => 1 + pairs(verifiedGenes(spec)),
    bound: (weightCap) => weightCap * largest ** 2,
    local: (view, spec) => sumOver(view, spec, productsOfPairs, pairs),
    fit: (spec, sums) => {
      const units = verifiedUnits(spec, sums);
      return withStep(spec, graphOf(sums.subarray(1), units, spec.keptGenes.length, neighbours));
    },
  };
}

/** @throws E_UNITS when there are more genes than pairs can be summed for */
function verifiedGenes({ keptGenes }: FeatureSpecification): number {
  if (keptGenes.length <= MOST_GENES) return keptGenes.length;
  throw new RegulonError('E_UNITS', `co-expression: of ${keptGenes.length} genes is too large`, {
    hint: `select ${MOST_GENES} with top-variance`,
  });
}

/** @param sums upper triangle, row by row */
function graphOf(sums: Float64Array, units: number, genes: number, neighbours: number): CoExpressionFit {
  const strength = (i: number, j: number): number => {
    const [a, b] = [Math.min(i, j), Math.max(i, j)];
    return Math.abs((sums[a * genes - (a * (a - 1)) / 2 + (b - a)] ?? 0) / units);
  };
  const edges = new Map<number, number>();
  for (let gene = 0; gene < genes; gene++) {
    const row = Float64Array.from({ length: genes }, (_, other) =>
      other === gene ? 0 : strength(gene, other),
    );
    // ties by the order of the genes: the same graph everywhere
    const order = Array.from(row.keys()).sort((x, y) => (row[y] ?? 0) - (row[x] ?? 0) || x - y);
    for (const other of order.slice(0, neighbours)) {
      const weight = row[other] ?? 0;
      if (weight > 0) edges.set(Math.min(gene, other) * genes + Math.max(gene, other), weight);
    }
  }
  const keys = [...edges.keys()].sort((x, y) => x - y);
  return {
    step: 'co-expression',
    neighbours,
    a: Uint32Array.from(keys, (key) => Math.floor(key / genes)),
    b: Uint32Array.from(keys, (key) => key % genes),
    weight: Float64Array.from(keys, (key) => edges.get(key) ?? 0),
  };
}
