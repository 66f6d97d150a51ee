import { z } from 'zod';
import { TILE_WIDTH } from '../merkle/tiles.js';
import { attachment, code, count, digest, head } from './fields.js';

/** A site's witness refuses a checkpoint that does not follow on what it has seen. */
export const witnessRefusalBody = z.strictObject({
  /** error code */
  code,
  /** the last note that this site followed; null before the first */
  held: attachment.nullable(),
  /** the note that it refuses; the log key signed it */
  offered: attachment,
  /** what the entries that the coordinator showed for it give; null when they broke a rule before its size */
  shown: head.nullable(),
});

/** Two statements of one party that cannot both be true. */
export const forkEvidenceBody = z.strictObject({
  /** `notes`: checkpoints that the log key signed; `entries`: entries of one actor with one number */
  about: z.enum(['notes', 'entries']),
  first: attachment,
  second: attachment,
});

/** A report on the log was written, over this state of it. */
export const reportIssuedBody = z.strictObject({
  /** SHA-256 of the report's bytes */
  report: digest,
  checkpoint: head,
  /** name and version of the program that judged */
  verifier: code,
});

/** The first entries of the log, in short: the coordinator proposes it, each site that finds the same signs the same. */
export const logBaselineBody = z.strictObject({
  /** entries that it is about: whole entry bundles */
  size: count.refine((size) => size > 0 && size % TILE_WIDTH === 0, 'whole bundles of 256 entries'),
  /** root of so many first entries */
  root: digest,
  /** `regulon.baseline/1`, JCS */
  state: attachment,
});

/** From here on the coordinator keeps no entry below a baseline but those that the baseline repeats. */
export const logPruneBody = z.strictObject({
  /** first entry that stays: the size of the baseline */
  size: count.refine((size) => size > 0 && size % TILE_WIDTH === 0, 'whole bundles of 256 entries'),
  /** where the coordinator's `log.baseline` stands */
  baseline: count,
  /** class of entry 0 that keeps entries longest: they have outlived it */
  class: code,
});

/** Somebody outside the federation dated a checkpoint. */
export const anchorBody = z.strictObject({
  checkpoint: head,
  /** RFC 3161 timestamp token, or the entry of a public log */
  form: z.enum(['rfc3161', 'public-log']),
  /** as it was received; it holds the SHA-256 of the checkpoint's text */
  token: attachment,
});
