import { RegulonError } from '../errors/index.js';
import { type FeatureSpecification, withStep } from './specification.js';
import { requireStep } from './fitted-steps.js';

/** An SD below this counts as constant and is replaced by 1 (genomics.md §1). */
const SMALLEST_SD = 1e-12;

/** Fitted mean and population variance of the genes kept now. @throws E_STATE before the variance round */
export function momentsOf(spec: FeatureSpecification): { mean: Float64Array; variance: Float64Array } {
  const fitted = requireStep(spec, 'variance');
  const column = new Map<number, number>();
  fitted.keptGenes.forEach((gene, j) => column.set(gene, j));
  const pick = (from: Float64Array): Float64Array =>
    Float64Array.from(spec.keptGenes, (gene) => {
      const value = from[column.get(gene) ?? -1];
      if (value === undefined) throw new RegulonError('E_STATE', 'a kept gene has no fitted variance');
      return value;
    });
  return { mean: pick(fitted.mean), variance: pick(fitted.variance) };
}

/**
 * P12: keep the k genes of largest population variance; ties by gene order; the result in panel order.
 * With fewer than k genes left, all stay.
 */
export function topVariance(spec: FeatureSpecification, k: number): FeatureSpecification {
  const { variance } = momentsOf(spec);
  const order = Array.from(variance, (_, j) => j);
  order.sort((a, b) => (variance[b] ?? 0) - (variance[a] ?? 0) || a - b);
  const keptGenes = Uint32Array.from(order.slice(0, k), (j) => spec.keptGenes[j] ?? 0).sort();
  return withStep(spec, { step: 'top-variance', k, keptGenes });
}

/**
 * Of the genes kept so far those that a plan names: a choice that no data made.
 *
 * @param genes places in the panel, from 1, ascending
 * @throws E_PLAN when the panel has fewer genes, or none of these is left
 */
export function geneList(
  spec: FeatureSpecification,
  genes: readonly { readonly at: number }[],
): FeatureSpecification {
  const listed = new Set(genes.map(({ at }) => at - 1));
  if ((genes.at(-1)?.at ?? 0) > spec.genes)
    throw new RegulonError('E_PLAN', `plan: gene-list: the panel has ${spec.genes} genes only`);
  const keptGenes = spec.keptGenes.filter((gene) => listed.has(gene));
  if (keptGenes.length === 0)
    throw new RegulonError('E_PLAN', 'plan: gene-list: none of its genes may enter a sum');
  return withStep(spec, { step: 'gene-list', keptGenes });
}

/** z-score with mean and population SD of the training units; an SD below 1e-12 becomes 1. */
export function zScore(spec: FeatureSpecification): FeatureSpecification {
  const { mean, variance } = momentsOf(spec);
  const sd = variance.map((v) => (Math.sqrt(v) < SMALLEST_SD ? 1 : Math.sqrt(v)));
  return withStep(spec, { step: 'z-score', mean, sd });
}

/** log2(CPM + 1); after the expression filter the library is recomputed over the genes it kept. */
export function logCpm(spec: FeatureSpecification): FeatureSpecification {
  const filtered = spec.steps.some((step) => step.step === 'filter-by-expression');
  if (!filtered) return withStep(spec, { step: 'log2-cpm' });
  return withStep(spec, {
    step: 'log2-cpm',
    libraryGenes: requireStep(spec, 'filter-by-expression').keptGenes,
  });
}
