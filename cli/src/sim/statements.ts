import { canonicalJsonBytes, sha256 } from '@regulon/shared/crypto';
import { manifestDigest, manifestOf } from '@regulon/shared/models';
import { type Plan, planBytes, planHashOf, type SitePolicy } from '@regulon/shared/plan';
import {
  type Attachment,
  attachmentOf,
  type BodyOf,
  digestText,
  MediaType,
} from '@regulon/shared/transparency';
import { outlineOf } from '../plan-file/index.js';
import { softwareDigest } from './programs.js';

const YEAR_MS = 365 * 86_400_000;

/** What a daemon tells its steward about the dataset, so that the steward can commit to it. */
export type DatasetFacts = Pick<
  BodyOf<'dataset.commit'>,
  'dataset' | 'version' | 'commitment' | 'schema' | 'panel' | 'band' | 'unit' | 'public' | 'simulated'
>;

/** A body with the bytes it refers to. */
export interface Statement<K extends 'policy.set' | 'plan.propose'> {
  readonly body: BodyOf<K>;
  readonly attachments: readonly Uint8Array[];
}

/** A steward puts the policy of the site into the log. */
export function policyStatement(
  policy: SitePolicy,
  unit: Plan['dataset']['unit'],
): Statement<'policy.set'> & { policy: Attachment } {
  const bytes = canonicalJsonBytes(policy);
  const attachment = attachmentOf(bytes, MediaType.json);
  const body: BodyOf<'policy.set'> = {
    policy: attachment,
    supersedes: null,
    dataUse: [],
    purposes: policy.purposes,
    legalBasis: 'public-or-simulated-data',
    references: [],
    epsilonCap: null,
    delta: null,
    unit,
    minCohort: policy.nMin,
    gamma: policy.gamma,
    allowedPlans: policy.plans === 'approved-by-steward' ? [] : policy.plans,
    allowedCode: [],
    reviewersNeeded: 1,
    egressKinds: [],
    leaveSiteOut: policy.leaveSiteOut,
    stableCohort: policy.stableCohort,
    allowDifference: false,
    retentionClass: 'simulation',
    validUntil: null,
  };
  return { body, attachments: [bytes], policy: attachment };
}

/** A steward commits to a version of the site's dataset, and says whether it is public or simulated. */
export function datasetStatement(facts: DatasetFacts): BodyOf<'dataset.commit'> {
  return { ...facts, qualityReport: null, dataUse: [] };
}

/** A researcher proposes a plan. @param siteIds roster ids of its sites */
export function proposal(plan: Plan, siteIds: readonly number[]): Statement<'plan.propose'> {
  const bytes = planBytes(plan);
  const outline = outlineOf(plan);
  const { gamma, nMin, weightCap, fractionBits, quantizationBits } = plan.secureAggregation;
  const largest = Math.floor(Math.log2((2 ** 31 - 1) / plan.sites.length));
  const body: BodyOf<'plan.propose'> = {
    name: plan.name,
    plan: attachmentOf(bytes, MediaType.json),
    planHash: digestText(planHashOf(plan)),
    purpose: plan.purpose,
    code: digestText(softwareDigest('client')),
    provenance: null,
    architecture: digestText(architectureOf(plan, outline.features)),
    initialModel: null,
    privacy: null,
    secureAggregation: {
      gamma,
      nMin,
      quantization: 2 ** (quantizationBits ?? largest),
      weightCap,
      fractionBits,
    },
    sites: [...siteIds].sort((a, b) => a - b),
    rounds: outline.rounds.reduce((sum, { rounds }) => sum + rounds, 0),
    requireAll: false,
  };
  return { body, attachments: [bytes] };
}

/** Digest of the model: its weights where the plan fixes their shapes, else its declaration. */
function architectureOf(plan: Plan, features: number | null): Uint8Array {
  if (features === null) return sha256(canonicalJsonBytes(plan.model));
  const inputShape = plan.dataset.kind === 'series' ? [2, features] : [features];
  return manifestDigest(
    manifestOf(plan.model, { inputShape, outputs: plan.label?.classes.length ?? features }),
  );
}

/** A steward approves a plan for one version of the site's dataset under the policy in force. */
export function approval(
  plan: Plan,
  policy: Attachment,
  facts: Pick<DatasetFacts, 'dataset' | 'version' | 'commitment'>,
  now: Date,
): BodyOf<'plan.approve'> {
  return {
    planHash: digestText(planHashOf(plan)),
    policy: policy.digest,
    dataset: facts.dataset,
    datasetVersion: facts.version,
    commitment: facts.commitment,
    conditions: [],
    validUntil: new Date(now.getTime() + YEAR_MS).toISOString(),
  };
}
