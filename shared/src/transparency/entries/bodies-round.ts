import { z } from 'zod';
import {
  ascending,
  attachment,
  band,
  code,
  count,
  decimal,
  digest,
  head,
  indexList,
  listOf,
  MAX_LIST,
  name,
  signature,
  siteId,
  siteList,
  stage,
  text,
  time,
} from './fields.js';

/** The coordinator opens an attempt of a round. */
export const roundOpenBody = z.strictObject({
  purpose: z.enum(['train', 'statistics', 'evaluation']),
  stepId: code,
  arm: z.int().min(0).max(0xffff),
  /** encoded manifest */
  manifest: attachment,
  /** Sig_C("MANIFEST") */
  manifestSignature: signature,
  /** ctx of the manifest */
  context: digest,
  modelIn: digest,
  invited: siteList,
  rosterHash: digest,
  previousTranscript: digest,
  /** deadlines of R0…R4 */
  deadlines: z.array(time).length(5),
  /** linear chain before this entry; filled by the sequencer */
  chain: digest,
  /** entries before this one; filled by the sequencer */
  size: count,
});

/** A site is about to commit its masked input. */
export const roundContributionBody = z.strictObject({
  context: digest,
  role: z.enum(['contributor', 'silent']),
  /** model that this site received or derived */
  modelIn: digest,
  /** digest of the software that ran */
  code: digest,
  daemon: code,
  policy: digest,
  dataset: name,
  datasetVersion: z.int().min(1),
  commitment: digest,
  featureSpecification: digest,
  /** h2 */
  cohort: digest,
  maskedInput: z.strictObject({ length: count, root: digest }),
  /** privacy charge, written before the commit; null without differential privacy */
  charge: z.strictObject({ ledgerSeq: count, before: decimal, after: decimal, event: code }).nullable(),
  /** entry hash of the contribution whose cached vector is sent again */
  cached: digest.nullable(),
  sampler: code.nullable(),
  band,
  /** window of R2, not of training: step times give the number of units away */
  window: z.strictObject({ start: time, end: time }),
  /** checkpoint that opened the gate */
  gate: head,
  attestation: attachment.nullable(),
});

/** A site answers the unmask request. */
export const roundUnmaskBody = z.strictObject({
  context: digest,
  /** h3 */
  consistency: digest,
  /** U3 */
  survivors: siteList,
  /** U2 without U3 */
  dropped: siteList,
  /** sites whose share of the self-mask was given */
  selfMask: siteList,
  /** sites whose share of the mask key was given */
  maskKey: siteList,
  /** a_i */
  answer: digest,
  /** the consistency signatures this site saw */
  signatures: attachment,
});

/** A site of U1 that is not in U3: the stage at which it was lost, and why. */
export const droppedSite = z.strictObject({ site: siteId, stage, code });

/** A group of U1 that was summed by itself. */
const summedGroup = z.strictObject({
  /** the sites of U1 that are in it */
  sites: z.array(siteId).min(3).max(255).refine(ascending, 'ids ascend'),
  h1: digest,
  h2: digest,
  h3: digest,
  /** root of the sum of its survivors */
  aggregateRoot: digest,
});

/** The coordinator closes a round with its sum. */
export const roundAggregateBody = z.strictObject({
  context: digest,
  u1: siteList,
  u2: siteList,
  u3: siteList,
  h1: digest,
  h2: digest,
  h3: digest,
  dropped: listOf(droppedSite),
  /** indexes of round.contribution */
  contributions: indexList,
  /** indexes of round.unmask */
  unmasks: indexList,
  thresholds: z.strictObject({
    N: count,
    M: count,
    n: count,
    c: count,
    quorum: count,
    t: count,
    uMin: count,
    h: count,
  }),
  /** root of the sum over all survivors */
  aggregateRoot: digest,
  /** with sub-cohorts only: the groups in their order; h2, h3 and what T covers of the sums are then over all of them */
  groups: z.array(summedGroup).min(2).max(MAX_LIST).exactOptional(),
  /** T */
  transcript: digest,
  /** Sig_C("CLOSE", T) */
  closeSignature: signature,
  strategy: code.nullable(),
  /** noise added by the coordinator, if any */
  serverNoise: z.strictObject({ mechanism: code, sigma: decimal, event: code }).nullable(),
  /** model, feature specification or result that follows from the sum */
  modelOut: digest,
  /** of a validation round only: what early stopping decides by; modelOut covers them */
  figures: z.strictObject({ loss: decimal, accuracy: decimal.exactOptional() }).exactOptional(),
  coverage: z.strictObject({ sites: count, band }),
  worker: code,
  fence: count,
  /** RoundEvidence */
  evidence: attachment,
});

/** An attempt of a round ends without a sum. */
export const roundAbortBody = z.strictObject({
  context: digest,
  stage,
  code,
  /** the reason inside T, an error code */
  reason: text,
  /** last of h1…h3 that was fixed; null before h1 (T then covers 32 zero bytes) */
  lastHash: digest.nullable(),
  /** T; null when a site aborts */
  transcript: digest.nullable(),
  /** Sig_C("ABORT", T); null when a site aborts */
  abortSignature: signature.nullable(),
  complaint: attachment.nullable(),
  /** whether this party had sent unmask answers */
  answersSent: z.boolean(),
});

/** A site confirms what it derived from the closed round. */
export const roundAckBody = z.strictObject({
  context: digest,
  modelOut: digest,
  /** Sig_C("RCPT") of the own upload; null when it did not upload */
  receipt: signature.nullable(),
  /** tiles of the aggregate that were recomputed */
  audited: z.strictObject({
    tiles: z.array(count).max(64),
    count,
    result: z.enum(['agree', 'differ', 'none']),
  }),
});

/** The administrators let a burnt round be answered once more; scope: the new attempt. */
export const roundReopenBody = z.strictObject({
  /** attempt in which shares were asked for and no sum came of it */
  burnt: z.int().min(0).max(0xffff),
  /** h3 of that attempt */
  consistency: digest,
  modelHash: digest,
  planHash: digest,
  /** U3 ∩ contributors of the burnt attempt, less a proven dealer; never an attachment, as sites read it here */
  contributors: z.array(siteId).min(3).max(255).refine(ascending, 'ids ascend'),
  /** proof against the dealer that is left out, base64; null when the same sites contribute again */
  proof: z.base64().max(52_000).nullable(),
  /** of H("REOPEN", …) */
  signatures: z
    .array(z.strictObject({ admin: z.int().min(1), signature }))
    .max(MAX_LIST)
    .refine((list) => ascending(list.map(({ admin }) => admin)), 'administrators ascend'),
});

/** Kind of egress that a daemon knows: masked vectors of secure aggregation. */
export const SECURE_AGGREGATION = 'secure-aggregation';

/** What a site lets out in an attempt, under which policy; signed with the contribution, before the first byte leaves. */
export const egressReceiptBody = z.strictObject({
  context: digest,
  /** of those that the policy names as `egressKinds` */
  kind: code,
  /** the policy under which it leaves */
  rule: digest,
  /** number of the charge in the ledger; null without one */
  charge: count.nullable(),
  /** vectors, and bytes of all of them as they leave */
  count,
  bytes: count,
  /** root of the vector */
  digest,
});

/** The coordinator has removed the masked vectors of a closed round: from now on nobody can replay its sum. */
export const retentionDeleteBody = z.strictObject({
  context: digest,
  /** T of the close: it binds the uploads that are gone */
  transcript: digest,
  class: z.literal('masked-vectors'),
  /** vectors, one a survivor, and bytes of all of them */
  vectors: count,
  bytes: count,
  /** why now: a later round of the run has closed, or the run has ended and the next one began */
  rule: z.enum(['later-close', 'next-run']),
});
