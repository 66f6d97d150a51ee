import { type StatisticsStep, statisticsSteps } from '@regulon/shared/genomics';

/** A made-up cohort: counts of genes × patients over sites, each site one batch. */
export interface CohortSize {
  readonly genes: number;
  readonly patients: number;
  readonly sites: number;
  /** genes that are kept in the end */
  readonly top: number;
}

/** Expression filter → size factors → logarithm → ComBat → most variable genes, as a plan declares it. */
export function pipelineSteps({ genes, patients, sites, top }: CohortSize): StatisticsStep[] {
  return statisticsSteps(
    [
      { step: 'filter-by-expression', minTotal: 15, minCount: 10 },
      { step: 'size-factors', method: 'ratio' },
      { step: 'log2', pseudocount: 1 },
      { step: 'combat', covariates: [], meanOnly: false },
      { step: 'top-variance', k: top },
    ],
    {
      ...{ genes, classes: 2, weightCap: Math.ceil(patients / sites), fractionBits: 32 },
      ...{ uMin: sites - 1, isPublic: true },
    },
  );
}

/** Counts of the patients of one site, one at a time, [genes] each; the same everywhere for one site. */
export function* countsOf(site: number, { genes, patients, sites }: CohortSize): Generator<Int32Array> {
  const units = patients / sites;
  let state = 0x9e3779b9 ^ (site + 1);
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let unit = 0; unit < units; unit++) {
    const depth = 0.5 + uniform();
    const counts = new Int32Array(genes);
    for (let gene = 0; gene < genes; gene++) {
      const mean =
        depth * Math.exp(((gene * 7919) % genes) / (genes / 9)) * (1 + 0.4 * Math.sin(gene * (site + 2)));
      const noise = Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
      counts[gene] = Math.max(0, Math.round(mean * Math.exp(0.3 * noise)));
    }
    yield counts;
  }
}
