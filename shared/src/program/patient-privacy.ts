import { decimalOf, type Plan, type PlanPrivacy } from '../plan/index.js';
import {
  accountOf,
  exactRate,
  type ChargedEvent,
  privacyEventsOf,
  type PrivacyAccount,
} from '../privacy/index.js';

/** Standard deviation of the noise in a site's count of patients: it stands in weights and denominators. */
export const COUNT_NOISE = 10;

/** What adds noise to the steps of DP-SGD, and its version. */
export const STEP_SAMPLER = 'float64-rounded/2';

/**
 * What training rounds do to the patients of a site, as its ledger charges it.
 *
 * @param rounds training rounds together
 * @param counted whether the count of patients goes out with them, as with the first round of a run
 */
export function trainingEvent(
  privacy: PlanPrivacy,
  { rounds, counted }: { rounds: number; counted: boolean },
): Extract<ChargedEvent, { mechanism: 'gaussian' }> {
  return {
    mechanism: 'gaussian',
    q: decimalOf(exactRate(privacy.samplingRate)),
    z: decimalOf(privacy.noiseMultiplier),
    steps: privacy.localSteps * rounds,
    ...(counted ? { counted: decimalOf(COUNT_NOISE) } : {}),
    ...{ unit: privacy.unit, adjacency: privacy.adjacency, sampler: STEP_SAMPLER },
    ...{ purpose: 0, step: 'train' },
  };
}

/** What all training rounds of a run cost a patient at one site, and with the hospitals that may hold the same one. */
export function costOfRun(plan: Plan): PrivacyAccount | undefined {
  if (!plan.privacy) return undefined;
  const event = trainingEvent(plan.privacy, { rounds: plan.training.rounds, counted: true });
  const { delta, hospitalsPerPatient: copies } = plan.privacy;
  return accountOf(privacyEventsOf(event) ?? [], delta, { copies });
}

/** Of what leaves the sites, what differential privacy covers and what it does not. */
export interface PrivacyClaim {
  /** everything that goes with ε */
  readonly protectedBy: string;
  readonly notProtected: string;
}

const ALWAYS = 'that a site takes part or refuses, times, the size band of its dataset';

/**
 * The honest label of a run: in the plan's estimate, in reports, in the log of each site.
 *
 * @param account what the run costs, where there is time to say it
 */
export function privacyClaim(plan: Plan, account?: PrivacyAccount): PrivacyClaim {
  const { privacy, training } = plan;
  if (!privacy) {
    const ring = plan.secureAggregation.noise;
    return {
      protectedBy: ring
        ? `updates only, of a whole hospital: noise in the ring, ${ring.mechanism}, z = ${ring.z}`
        : 'nothing',
      notProtected: `${ring ? '' : 'updates and the model, '}weights, training loss, the sums of preparation and evaluation, ${ALWAYS}`,
    };
  }
  const { noiseMultiplier: z, samplingRate: q, localSteps, hospitalsPerPatient: k, delta } = privacy;
  return {
    protectedBy: [
      'updates, the model and weights',
      `unit ${privacy.unit}, adjacency ${privacy.adjacency}`,
      `z = ${z}, q = ${q}, ${localSteps * training.rounds} steps and one count at each site`,
      ...(account ? [costWords(account, { delta, k })] : []),
    ].join('; '),
    notProtected: `${ALWAYS}, and that numbers that are none ended a run`,
  };
}

function costWords(
  { reported, epsilon, accountant }: PrivacyAccount,
  { delta, k }: { delta: number; k: number },
): string {
  const own = `ε = ${reported.epsilon.toPrecision(4)} at δ = ${delta} for a patient of ${k} of the hospitals`;
  return `${own}, accountant ${reported.by} of ${accountant} (RDP ${epsilon.rdp.toPrecision(4)})`;
}
