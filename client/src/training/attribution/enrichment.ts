import { RegulonError } from '@regulon/shared/errors';

/** Genes from the most to the least important. */
export interface GeneRanking {
  readonly genes: readonly string[];
  /** [genes], falling */
  readonly scores: Float64Array;
}

/** How a gene set lies in a ranking. */
export interface Enrichment {
  /** running sum where it is farthest from 0, −1 … 1; positive: the set is near the top */
  readonly score: number;
  /** genes of the set up to that place (negative scores: from it on), in the order of the ranking */
  readonly leadingEdge: readonly string[];
  /** genes of the set that are in the ranking */
  readonly hits: number;
}

/** Genes by falling score, equal ones in their own order. @throws E_ARGUMENT if the lengths differ */
export function rankGenes(genes: readonly string[], scores: ArrayLike<number>): GeneRanking {
  if (genes.length !== scores.length) {
    throw new RegulonError('E_ARGUMENT', `${genes.length} names of genes for ${scores.length} scores`);
  }
  const order = [...genes.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  return {
    genes: order.map((i) => genes[i]!),
    scores: Float64Array.from(order, (i) => scores[i]!),
  };
}

/**
 * Gene-set enrichment: a sum that rises at genes of the set, and falls at the others.
 *
 * @param exponent 0: each gene of the set weighs the same (Kolmogorov–Smirnov); 1: by its |score|
 * @throws E_ARGUMENT if none or all of the genes are in the set, or those in it weigh nothing
 * @see Subramanian et al. 2005
 */
export function enrichmentOf(
  { genes, scores }: GeneRanking,
  set: ReadonlySet<string>,
  exponent: 0 | 1 = 1,
): Enrichment {
  const weights = Float64Array.from(scores, (score, i) => {
    if (!set.has(genes[i]!)) return 0;
    return exponent === 0 ? 1 : Math.abs(score);
  });
  const total = weights.reduce((sum, w) => sum + w, 0);
  const hits = genes.filter((gene) => set.has(gene)).length;
  if (hits === 0 || hits === genes.length || total === 0) {
    throw new RegulonError('E_ARGUMENT', `${hits} of ${genes.length} ranked genes are in the gene set`, {
      hint: 'name the genes as the features of the model; a set needs scored genes in it and others beside it',
    });
  }
  let [running, best, peak] = [0, 0, 0];
  genes.forEach((gene, i) => {
    running += set.has(gene) ? weights[i]! / total : -1 / (genes.length - hits);
    if (Math.abs(running) > Math.abs(best)) [best, peak] = [running, i];
  });
  const edge = best > 0 ? genes.slice(0, peak + 1) : genes.slice(peak + 1);
  return { score: best, leadingEdge: edge.filter((gene) => set.has(gene)), hits };
}
