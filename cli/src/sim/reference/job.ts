import { z } from 'zod';
import { datasetKindSchema, datasetScaleSchema } from '@regulon/shared/plan';

/** What the demo asks of the reference process; one JSON file. */
export const referenceJobSchema = z.strictObject({
  /** the plan as it ran, parsed again here */
  plan: z.unknown(),
  sites: z.array(
    z.strictObject({
      name: z.string(),
      kind: datasetKindSchema,
      scale: datasetScaleSchema,
      counts: z.string(),
      labels: z.string().optional(),
      columnsPrefix: z.union([z.string(), z.array(z.string()).readonly()]).optional(),
      /** this process reads every site's data: only what its steward declared public or simulated */
      open: z.literal(true),
    }),
  ),
  /** folder for features and weights, removed by the caller */
  folder: z.string(),
  backend: z.enum(['auto', 'blas', 'wasm']),
});

/** A job file that was checked. */
export type ReferenceJob = z.infer<typeof referenceJobSchema>;

const scoreOrNull = z.number().nullable();

const referenceScore = z.strictObject({
  units: z.number(),
  accuracy: scoreOrNull,
  balancedAccuracy: scoreOrNull,
  recallPerClass: z.array(scoreOrNull).readonly().nullable(),
  mse: scoreOrNull,
  /** of a task of several heads: the one number that each is told by */
  heads: z
    .array(z.strictObject({ head: z.string(), value: scoreOrNull }))
    .readonly()
    .optional(),
});

/** Score of one model on its test units; a field is null where the task has no such score. */
export type ReferenceScore = z.infer<typeof referenceScore>;

const scoreBySite = z.array(z.strictObject({ site: z.string(), score: referenceScore })).readonly();

/** What the reference process prints: rows that need all data in one place, never part of a run. */
export const referenceReportSchema = z.strictObject({
  schema: z.literal('regulon.reference/1'),
  label: z.literal('reference (sees all data)'),
  /** units of each site, in the order of the plan */
  units: z.array(z.strictObject({ site: z.string(), units: z.number() })).readonly(),
  /** one model trained on the training units of all sites together */
  pooled: referenceScore,
  /** per test site, where the task is scored by site */
  pooledBySite: scoreBySite,
  /** one model a site, trained on its own units only */
  lone: scoreBySite,
  /** reconstruction by 64 principal components fitted on the same training units */
  pca64Mse: scoreOrNull,
  backend: z.string(),
  seconds: z.number(),
});

/** An answer of the reference process that was checked. */
export type ReferenceReport = z.infer<typeof referenceReportSchema>;
