import { z } from 'zod';
import {
  attachment,
  band,
  code,
  count,
  decimal,
  digest,
  duo,
  gamma,
  listOf,
  name,
  purpose,
  siteId,
  text,
  time,
  unit,
  vkey,
} from './fields.js';

/** One member, with its keys. */
export const member = z.strictObject({
  /** roster id */
  id: siteId,
  name,
  statement: vkey,
  cosigner: vkey,
  steward: vkey,
  /** administrators who belong to this member */
  administrators: z.array(vkey).max(8),
});

/** Members as they stand in an attachment, when they are more than 64. */
export const memberList = z.array(member).max(255);

/** Entry 0: who forms the federation, under which keys and rules. */
export const genesisBody = z.strictObject({
  origin: z.string().min(1).max(200),
  logKey: vkey,
  coordinatorKey: vkey,
  rosterHash: digest,
  /** the signed roster, canonical JSON */
  roster: attachment,
  members: listOf(member),
  /** k: administrators who must sign a roster */
  administratorThreshold: z.int().min(1),
  /** people who act under an own key */
  people: z
    .array(z.strictObject({ id: name, role: z.enum(['researcher', 'auditor', 'operator']), key: vkey }))
    .max(64),
  quorumPolicy: attachment,
  gateMode: z.enum(['signed', 'cosigned']),
  /** f: members assumed to collude with the coordinator */
  colluders: count,
  /** q of the quorum policy */
  quorum: count,
  gateLag: z.int().min(0).max(1),
  /** smallest cohort (U1 and U2); what is left of it in U3 is bounded by uMin */
  minCohort: z.int().min(3).max(255),
  gamma,
  quorumRule: z.enum(['strict', 'majority']),
  skewSeconds: count,
  gateMaxAgeSeconds: count,
  mergeDelaySeconds: count,
  retention: z.array(z.strictObject({ class: code, days: count })).max(16),
  evidenceLevel: z.literal([1, 2]),
  /** digest of the software that runs the coordinator */
  software: digest,
});

/** What a site's steward allows. */
export const policyBody = z.strictObject({
  policy: attachment,
  /** digest of the policy that this one replaces */
  supersedes: digest.nullable(),
  dataUse: z.array(duo).max(32),
  purposes: z.array(purpose).max(8),
  legalBasis: code,
  references: z
    .array(z.strictObject({ kind: z.enum(['dpia', 'ethics', 'contract']), reference: text }))
    .max(16),
  epsilonCap: decimal.nullable(),
  delta: decimal.nullable(),
  unit,
  /** smallest cohort (U1 and U2) that this site takes part in */
  minCohort: z.int().min(3).max(255),
  gamma,
  /** plan digests allowed without further approval; empty = each plan needs its approval */
  allowedPlans: z.array(digest).max(64),
  allowedCode: z.array(digest).max(64),
  reviewersNeeded: count,
  egressKinds: z.array(code).max(32),
  leaveSiteOut: z.enum(['off', 'safe', 'exact']),
  stableCohort: z.boolean(),
  allowDifference: z.boolean(),
  retentionClass: code,
  validUntil: time.nullable(),
});

/** Two persons of a site except one plan from a rule of its policy. */
export const policyOverrideBody = z.strictObject({
  /** digest of the policy in force */
  policy: digest,
  /** key of the policy file; terms of a dataset are excepted by nobody */
  rule: z.enum(['purposes', 'dataUse', 'plans', 'maxRounds']),
  planHash: digest,
  justification: text.min(1),
  expires: time,
});

/** A version of a dataset, committed to without showing it. */
export const datasetBody = z.strictObject({
  dataset: name,
  version: z.int().min(1),
  /** SHA-256(salt ‖ manifest); the salt stays at the site */
  commitment: digest,
  /** digest of the column names and types */
  schema: digest,
  /** digest of the ordered gene ids, and how many there are */
  panel: z.strictObject({ digest, size: count }),
  band,
  unit,
  qualityReport: digest.nullable(),
  dataUse: z.array(duo).max(32),
  /** research benchmarks; needs the steward's signature */
  public: z.boolean(),
  /** simulated; needs the steward's signature */
  simulated: z.boolean(),
});

/** A steward takes a dataset back: no later round uses it. */
export const datasetWithdrawBody = z.strictObject({
  dataset: name,
  /** `commitment`: until the site commits to another version; `all`: for good */
  scope: z.enum(['all', 'commitment']),
  reason: code,
});

/** A process has started with some configuration; the nonce must come back in a checkpoint. */
export const configStartBody = z.strictObject({
  /** 32 random bytes, hexadecimal */
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  version: code,
  software: digest.nullable(),
  configuration: digest.nullable(),
});
