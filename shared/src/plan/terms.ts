import { z } from 'zod';

/** γ as a fraction: share of the members that may collude with the coordinator. */
export const gammaSchema = z.strictObject({
  num: z.int().min(0).max(255),
  den: z.int().min(1).max(255),
});

/** `sha256:<64 hex>` */
export const digestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, 'a digest is sha256: and 64 hexadecimal digits');

/** A name with dots, colons and slashes, for codes, versions and steps. */
export const codeSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/+-]{0,99}$/, 'a code of at most 100 characters');

/** What a run is for. */
export const purposeSchema = z.enum(['research', 'quality', 'method-development']);

/** What one row of a dataset is. */
export const unitSchema = z.enum(['patient', 'library', 'cell-line', 'series', 'sequence', 'gene']);

/** Whether a patient may have several units of this kind. */
export const hasRecords = (unit: z.infer<typeof unitSchema>): boolean =>
  unit === 'library' || unit === 'cell-line' || unit === 'series';

/**
 * What a dataset holds of a unit: one value a gene; one value a time step; a sequence of bases, all of one length; or one
 * value a feature of several omics, each there or missing as a whole.
 */
export const datasetKindSchema = z.enum(['expression', 'series', 'sequences', 'omics']);

/** What its values are; `bases` exactly for sequences. */
export const datasetScaleSchema = z.enum(['counts', 'log-ratio', 'bases']);

/** Whether the steps of a preparation are fitted on a dataset of this kind. */
export const isPrepared = (kind: DatasetKind): boolean => kind === 'expression' || kind === 'omics';

/** Kind of a dataset. */
export type DatasetKind = z.infer<typeof datasetKindSchema>;
/** Scale of a dataset. */
export type DatasetScale = z.infer<typeof datasetScaleSchema>;
