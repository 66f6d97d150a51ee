import { DAEMON_CODE } from '@regulon/client/version';
import { canonicalJsonBytes, sha256 } from '@regulon/shared/crypto';
import { manifestDigest, manifestOf } from '@regulon/shared/models';
import { decimalOf, type Plan, planBytes, planHashOf } from '@regulon/shared/plan';
import { ACCOUNTANT, exactRate } from '@regulon/shared/privacy';
import { modelFrameOf, quantumOf } from '@regulon/shared/program';
import {
  attachmentOf,
  type BodyOf,
  digestText,
  MediaType,
  refuseIdentifying,
} from '@regulon/shared/transparency';
import { outlineOf } from '../plan-file/index.js';

/** A proposal with the bytes it refers to. */
export interface Proposal {
  readonly body: BodyOf<'plan.propose'>;
  readonly attachments: readonly Uint8Array[];
}

/**
 * A researcher proposes a plan.
 *
 * @param siteIds roster ids of its sites
 * @param provenance who built the software that is to run it
 * @throws E_LOG_ENTRY when title or reference of the plan, which every hospital keeps, look like a person
 */
export function proposal(
  plan: Plan,
  siteIds: readonly number[],
  provenance: Proposal['body']['provenance'] = null,
): Proposal {
  refuseIdentifying('the plan', { title: plan.title, reference: plan.reference });
  const bytes = planBytes(plan);
  const outline = outlineOf(plan);
  const { gamma, nMin, weightCap, fractionBits, subCohort } = plan.secureAggregation;
  const body: BodyOf<'plan.propose'> = {
    name: plan.name,
    plan: attachmentOf(bytes, MediaType.json),
    planHash: digestText(planHashOf(plan)),
    purpose: plan.purpose,
    code: DAEMON_CODE,
    provenance,
    architecture: digestText(architectureOf(plan, outline.features)),
    initialModel: null,
    privacy: privacyOf(plan),
    secureAggregation: {
      gamma,
      nMin,
      quantization: quantumOf(plan),
      weightCap,
      fractionBits,
      ...(subCohort === undefined ? {} : { subCohort }),
    },
    sites: [...siteIds].sort((a, b) => a - b),
    rounds: outline.rounds.reduce((sum, { rounds }) => sum + rounds, 0),
    requireAll: false,
  };
  return { body, attachments: [bytes] };
}

/** What the plan claims for patients, in numbers that an auditor can account for. */
function privacyOf({ privacy, training }: Plan): Proposal['body']['privacy'] {
  if (!privacy) return null;
  const { clipNorm, noiseMultiplier, samplingRate, localSteps, unit, delta } = privacy;
  return {
    mechanism: 'dp-sgd',
    clip: decimalOf(clipNorm),
    sigma: decimalOf(noiseMultiplier),
    samplingRate: decimalOf(exactRate(samplingRate)),
    steps: localSteps * training.rounds,
    ...{ adjacency: 'add-remove', unit, delta: decimalOf(delta) },
    ...{ accountant: samplingRate === 1 ? 'exact' : 'pld', accountantVersion: ACCOUNTANT },
  };
}

/** Digest of the model: its weights where the plan fixes their shapes, else its declaration. */
function architectureOf(plan: Plan, features: number | null): Uint8Array {
  if (features === null) return sha256(canonicalJsonBytes(plan.model));
  return manifestDigest(manifestOf(plan.model, modelFrameOf(plan, features)));
}
