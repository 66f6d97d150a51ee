import { z } from 'zod';
import { count, name, positive } from './fields.js';
import { signedText } from './signed-text.js';

/** Preparation steps in their order; each is fitted from secure sums over the training units of an arm. */
export const prepareStep = z.discriminatedUnion('step', [
  /** how labels and batches hang together, before anything is trained; it changes no value */
  z.strictObject({ step: z.literal('confounding') }),
  /** histograms of library sizes, detected genes and missing values; it changes no value */
  z.strictObject({ step: z.literal('quality') }),
  /** genes that the plan names, whatever the data are; `at`: place in the panel, from 1; each site checks the names */
  z.strictObject({
    step: z.literal('gene-list'),
    genes: z
      .array(z.strictObject({ name: signedText(200).min(1), at: count(10_000_000) }))
      .min(1)
      .max(20_000)
      .refine(
        (list) => list.every(({ at }, i) => i === 0 || at > (list[i - 1]?.at ?? 0)),
        'genes stand in the order of the panel, each once',
      ),
  }),
  z.strictObject({
    step: z.literal('filter-by-expression'),
    minTotal: z.int().min(0).default(15),
    minCount: positive.default(10),
  }),
  /** differential expression of counts before anything else; it changes no value. `contrast`: a weight for each covariate */
  z.strictObject({
    step: z.literal('limma-voom'),
    covariates: z.array(name).min(1).max(32),
    contrast: z.array(z.number()).min(1).max(32),
  }),
  /** DESeq2's median of ratios; `poscounts` where no gene is positive in every unit */
  z.strictObject({
    step: z.literal('size-factors'),
    method: z.enum(['ratio', 'poscounts']).default('ratio'),
  }),
  /** counts scaled to one effective library; log2 follows */
  z.strictObject({ step: z.literal('upper-quartile') }),
  z.strictObject({ step: z.literal('log2-cpm') }),
  /** transcripts per million; fragments per kilobase and million. `lengths`: bases of every gene, in the order of the panel */
  z.strictObject({
    step: z.enum(['log2-tpm', 'log2-fpkm']),
    lengths: z.array(count(10_000_000)).min(1).max(200_000),
  }),
  z.strictObject({ step: z.literal('log2'), pseudocount: positive.default(1) }),
  /** DESeq2's, blind to labels; `iterations` rounds find the dispersions */
  z.strictObject({ step: z.literal('vst'), iterations: count(100).default(100) }),
  z.strictObject({ step: z.literal('clr'), pseudocount: positive.default(1) }),
  z.strictObject({ step: z.literal('quantile-normalize') }),
  /** of each batch at its site: less its mean; or less its mean, divided by its SD */
  z.strictObject({ step: z.literal('batch-center') }),
  z.strictObject({ step: z.literal('batch-z-score') }),
  /** share of the variance between batches, to read before and after a correction; it changes no value */
  z.strictObject({ step: z.literal('batch-share') }),
  /** covariates are named in `design` */
  z.strictObject({ step: z.literal('remove-batch-effect'), covariates: z.array(name).max(32).default([]) }),
  z.strictObject({
    step: z.literal('combat'),
    covariates: z.array(name).max(32).default([]),
    meanOnly: z.boolean().default(false),
  }),
  /** missing values: the mean of the gene; of the nearest genes, at most 1,000; or what a model of low rank says */
  z.strictObject({ step: z.literal('impute-mean') }),
  z.strictObject({ step: z.literal('impute-neighbours'), neighbours: count(100).default(10) }),
  z.strictObject({
    step: z.literal('impute-low-rank'),
    rank: count(32).default(5),
    penalty: z.number().min(1e-6).max(1e6).default(0.01),
    iterations: count(100).default(20),
  }),
  z.strictObject({ step: z.literal('top-variance'), k: count(1_000_000) }),
  /** to 0–1 between the quantiles `share` and 1 − `share`; beyond them clipped */
  z.strictObject({ step: z.literal('min-max'), share: z.number().min(0.001).max(0.25).default(0.01) }),
  /** (x − median) / interquartile range */
  z.strictObject({ step: z.literal('robust-scale') }),
  z.strictObject({ step: z.literal('z-score') }),
  /** `iterations` rounds of subspace iteration; absent = exact, from the covariance of at most 1,000 genes */
  z.strictObject({
    step: z.literal('pca'),
    components: count(256),
    iterations: count(500).optional(),
  }),
  /** a graph for `chebyshev`: each gene with the genes whose absolute correlation with it is largest, at most 1,000 genes */
  z.strictObject({ step: z.literal('co-expression'), neighbours: count(64).default(8) }),
]);

/** A column of the design: an indicator by a rule over the label table, or a numeric column of it. */
const covariate = z.union([
  z.strictObject({ name, rule: signedText(500).min(1) }),
  z.strictObject({ name, column: signedText(200).min(1) }),
]);

/** Batches and covariates of the units, for the steps that correct batch effects. */
export const design = z.strictObject({
  /** column of the label table that holds the batch; absent = each site is one batch */
  batch: signedText(200).min(1).optional(),
  covariates: z
    .array(covariate)
    .max(32)
    .refine((list) => new Set(list.map((c) => c.name)).size === list.length, 'covariate names are unique')
    .default([]),
});
