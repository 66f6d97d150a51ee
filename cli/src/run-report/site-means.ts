import type { RunDocument } from '@regulon/coordinator/runs';
import { type FeatureSpecification, genesBefore } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';

/** Fewer units make no mean of a site that is shown. */
const LEAST_UNITS = 10;
/** Steps that treat each unit by itself, or none: means of values after them compare from arm to arm. */
const BY_UNIT: ReadonlySet<string> = new Set([
  ...['counts', 'folds', 'confounding', 'quality', 'batch-share', 'log2-cpm', 'log2', 'clr', 'gene-lengths'],
]);

/** Mean profile of a site over its training units. */
export interface SiteMean {
  readonly site: string;
  readonly units: number;
  /** one a gene, the same genes for every site */
  readonly mean: Float64Array;
}

/**
 * Why single sites must not be compared, or cannot be: null when they may.
 *
 * A mean of one site is a value of that site. It may be shown where it can be computed anyhow: in a run whose every
 * dataset is public, and whose sites all allowed sums without each of them (`leaveSiteOut: exact`).
 */
export function whyNoSites({ isPublic }: RunDocument, { evaluation, dataset }: Plan): string | null {
  if (isPublic !== true)
    return 'what the data of one site are like never leaves it; only public runs, whose sites all allow exact leave-site-out scores, show it';
  if (evaluation.split !== 'leave-site-out')
    return `the plan splits ${evaluation.split}, and only sums without each site tell what one is like`;
  if (evaluation.preparation === 'once') return 'the preparation was fitted once, with every site';
  return dataset.kind === 'expression' ? null : `the preparation of ${dataset.kind} has no means of genes`;
}

/**
 * Mean profiles of the sites, from the means that were fitted without each of them: with S₋ₛ the sum without site s, all
 * sites together have Σ S₋ₛ/(k − 1).
 *
 * @param without specification of the arm that leaves each of the k sites out, by its name
 * @returns null when a mean is missing, compares nothing, or is of fewer than ten units
 */
export function siteMeans(without: ReadonlyMap<string, FeatureSpecification>): SiteMean[] | null {
  const arms = [...without].map(([site, spec]) => ({ site, ...firstMean(spec) }));
  const genes = arms.reduce<readonly number[]>(
    (common, { byGene }) => common.filter((gene) => byGene.has(gene)),
    [...(arms[0]?.byGene.keys() ?? [])],
  );
  if (arms.length < 3 || genes.length < 2) return null;
  const sum = (of: (arm: (typeof arms)[number]) => number): number =>
    arms.reduce((total, arm) => total + of(arm), 0) / (arms.length - 1);
  const all = sum(({ units }) => units);
  const totals = genes.map((gene) => sum(({ units, byGene }) => units * (byGene.get(gene) ?? 0)));
  const means = arms.map(({ site, units, byGene }): SiteMean => {
    const own = Math.round(all - units);
    const mean = Float64Array.from(
      genes,
      (gene, j) => ((totals[j] ?? 0) - units * (byGene.get(gene) ?? 0)) / own,
    );
    return { site, units: own, mean };
  });
  return means.some(({ units }) => units < LEAST_UNITS) ? null : means;
}

/** The first fitted mean, by position in the gene panel; empty when what comes before it was fitted, too. */
function firstMean(spec: FeatureSpecification): { units: number; byGene: ReadonlyMap<number, number> } {
  const at = spec.steps.findIndex(({ step }) => !BY_UNIT.has(step));
  const step = spec.steps[at];
  const isWhole = spec.steps.slice(0, at).every((before) => !('libraryGenes' in before));
  if (step?.step !== 'mean' || !isWhole) return { units: 0, byGene: new Map() };
  const genes = genesBefore(spec, at);
  return { units: step.units, byGene: new Map(Array.from(genes, (gene, j) => [gene, step.mean[j] ?? 0])) };
}
