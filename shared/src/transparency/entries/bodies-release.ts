import { z } from 'zod';
import {
  attachment,
  count,
  decimal,
  digest,
  keyReference,
  MAX_LIST,
  name,
  signature,
  text,
  unit,
} from './fields.js';

/** What a release of a run without differential privacy says of it: no word that could be read as a guarantee. */
export const NOT_PROTECTED = 'not-protected-by-differential-privacy';

/** A file that leaves the federation; it stands beside no log. */
const releasedFile = z.strictObject({
  /** SHA-256 of its bytes */
  digest,
  size: count,
});

/** How the file is written. */
const format = z.literal('safetensors');

/** At most one a contributing site, in the order of the sites' names. */
const perSite = <S extends z.ZodType<{ readonly site: string }>>(item: S) =>
  z
    .array(item)
    .max(MAX_LIST)
    .refine(
      (list) => list.every(({ site }, i) => list.slice(i - 1, i).every((before) => before.site < site)),
      'sites ascend',
    );

/** What is said of a release, and signed by the stewards. */
export const releaseTerms = z.strictObject({
  arm: count,
  /** the final model of that arm: digest of its weights */
  model: digest,
  format,
  file: releasedFile,
  /** total (ε, δ) of each contributing site after the run, or that there is none */
  privacy: z.union([
    z.literal(NOT_PROTECTED),
    z.strictObject({
      unit,
      adjacency: z.literal('add-remove'),
      sites: perSite(z.strictObject({ site: name, epsilon: decimal, delta: decimal })),
    }),
  ]),
  intendedUse: text.min(1),
  /** attack reports of this very model, by sites that contributed to it */
  tests: perSite(z.strictObject({ site: name, report: attachment })),
});

/** A researcher releases the final model of an arm; the steward of every contributing site has signed the terms. */
export const modelReleaseBody = releaseTerms.extend({
  approvals: perSite(z.strictObject({ site: name, key: keyReference, sig: signature })),
});

/** A researcher takes the file of a release out. */
export const modelExportBody = z.strictObject({
  /** index of model.release */
  release: count,
  model: digest,
  format,
  file: releasedFile,
});
