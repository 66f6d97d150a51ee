import { z } from 'zod';

/** What the demo asks of the reference process; one JSON file. */
export const referenceJobSchema = z.strictObject({
  /** the plan as it ran, parsed again here */
  plan: z.unknown(),
  sites: z.array(
    z.strictObject({
      name: z.string(),
      kind: z.enum(['expression', 'series']),
      scale: z.enum(['counts', 'log-ratio']),
      counts: z.string(),
      labels: z.string().optional(),
      columnsPrefix: z.string().optional(),
      /** this process reads every site's data: only what its steward declared public or simulated */
      open: z.literal(true),
    }),
  ),
  /** folder for features and weights, removed by the caller */
  folder: z.string(),
  backend: z.enum(['auto', 'blas', 'wasm']),
});

export type ReferenceJob = z.infer<typeof referenceJobSchema>;

/** Score of one model on its test units; a field is null where the task has no such score. */
export interface ReferenceScore {
  readonly units: number;
  readonly accuracy: number | null;
  readonly balancedAccuracy: number | null;
  readonly recallPerClass: readonly (number | null)[] | null;
  readonly mse: number | null;
}

/** Rows that need all data in one place; never part of a run. */
export interface ReferenceReport {
  readonly schema: 'regulon.reference/1';
  readonly label: 'reference (sees all data)';
  /** units of each site, in the order of the plan */
  readonly units: readonly { readonly site: string; readonly units: number }[];
  /** one model trained on the training units of all sites together */
  readonly pooled: ReferenceScore;
  /** per test site, where the task is scored by site */
  readonly pooledBySite: readonly { readonly site: string; readonly score: ReferenceScore }[];
  /** one model a site, trained on its own units only */
  readonly lone: readonly { readonly site: string; readonly score: ReferenceScore }[];
  /** reconstruction by 64 principal components fitted on the same training units */
  readonly pca64Mse: number | null;
  readonly backend: string;
  readonly seconds: number;
}
