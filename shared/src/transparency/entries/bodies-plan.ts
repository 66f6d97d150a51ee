import { z } from 'zod';
import {
  attachment,
  band,
  code,
  count,
  decimal,
  digest,
  gamma,
  indexList,
  listOf,
  name,
  purpose,
  siteList,
  text,
  time,
  unit,
} from './fields.js';

const privacy = z.strictObject({
  mechanism: z.enum(['discrete-gaussian', 'skellam', 'dp-sgd']),
  clip: decimal,
  sigma: decimal,
  samplingRate: decimal,
  steps: count,
  adjacency: z.enum(['add-remove', 'replace']),
  unit,
  delta: decimal,
  accountant: code,
  accountantVersion: code,
});

/** Who built the software, from a statement that was published elsewhere, signed. @see https://slsa.dev/spec/v1.0/provenance */
const provenance = z.strictObject({
  /** URI of the builder: printable ASCII without spaces */
  builder: z.string().regex(/^[!-~]{1,500}$/),
  /** SHA-256 of what was built */
  subject: digest,
  /** SHA-256 of the file of the statement */
  statement: digest,
});

/** A researcher proposes a plan. */
export const planProposeBody = z.strictObject({
  name,
  /** canonical JSON of the plan, defaults filled in, numbers as decimal strings */
  plan: attachment,
  /** H_x("plan") of those bytes: how every later entry names the plan */
  planHash: digest,
  purpose,
  /** digest of the software that may run it */
  code: digest,
  provenance: provenance.nullable(),
  architecture: digest,
  /** a released model, or the catalogue initialiser with the plan's seed when null */
  initialModel: digest.nullable(),
  privacy: privacy.nullable(),
  secureAggregation: z.strictObject({
    gamma,
    nMin: z.int().min(3).max(255),
    /** Q of the update ring */
    quantization: count,
    weightCap: count,
    /** of the statistics ring */
    fractionBits: z.int().min(0).max(63),
    /** least sites of a group that is summed by itself; absent = off */
    subCohort: z.int().min(4).max(127).exactOptional(),
  }),
  sites: siteList,
  /** rounds over all purposes and arms */
  rounds: count,
  requireAll: z.boolean(),
});

/** A steward approves one plan for one dataset version under one policy. */
export const planApproveBody = z.strictObject({
  planHash: digest,
  /** digest of the policy attachment in force */
  policy: digest,
  dataset: name,
  datasetVersion: z.int().min(1),
  commitment: digest,
  conditions: z.array(text).max(16),
  validUntil: time,
});

/** A steward says no to a plan, or takes an approval back: no later round of it may use the site's data. */
export const planRefusalBody = z.strictObject({
  planHash: digest,
  reason: code,
});

/** A run begins. */
export const runStartBody = z.strictObject({
  planHash: digest,
  /** index of plan.propose */
  proposal: count,
  /** indexes of plan.approve, one a site */
  approvals: indexList,
  sites: siteList,
  initialModel: digest.nullable(),
  featureSpecification: digest.nullable(),
  /** every dataset of the run is declared public or simulated by its steward */
  public: z.boolean(),
});

const coverage = z.strictObject({ sites: count, band });

/** The final model of an arm. */
export const armModel = z.strictObject({
  arm: count,
  model: digest,
  featureSpecification: digest.nullable(),
});

/** A run has ended. */
export const runFinishBody = z.strictObject({
  status: z.enum(['COMPLETED', 'COMPLETED_PARTIAL', 'ABORTED', 'FAILED']),
  /** error code when it did not complete */
  reason: code.nullable(),
  finalModel: digest.nullable(),
  /** final model of every arm */
  models: listOf(armModel),
  /** rounds that closed */
  rounds: count,
  coverage,
});
