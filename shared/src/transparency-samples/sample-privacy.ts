import { decimalOf } from '../plan/index.js';
import { ACCOUNTANT, boundOf, type GaussianEvent } from '../privacy/index.js';
import type { BodyOf } from '../transparency/index.js';

/** How a sample run protects patients. */
export interface SamplePrivacy {
  /** ε that the policy of every site allows; null: no site has a budget */
  readonly cap: string | null;
  /** 1 if absent */
  readonly samplingRate?: string;
}

export const SAMPLE_DELTA = '0.001';
const [NOISE, LOCAL_STEPS] = [8, 3];
/** Training rounds of a private sample run. */
export const PRIVATE_ROUNDS = 2;

/** What the plan of a private run says beside its name. */
export const privatePlan = ({ samplingRate = '1' }: SamplePrivacy): object => ({
  training: { rounds: String(PRIVATE_ROUNDS) },
  evaluation: {},
  privacy: {
    ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: String(NOISE), samplingRate },
    ...{ localSteps: String(LOCAL_STEPS), clipNorm: '1', recordsPerPatient: '1', delta: SAMPLE_DELTA },
    hospitalsPerPatient: '1',
  },
});

/** What its proposal states. */
export const statedPrivacy = ({ samplingRate = '1' }: SamplePrivacy): BodyOf<'plan.propose'>['privacy'] => ({
  ...{ mechanism: 'dp-sgd', clip: '1', sigma: String(NOISE), samplingRate },
  ...{ steps: LOCAL_STEPS * PRIVATE_ROUNDS, adjacency: 'add-remove', unit: 'patient', delta: SAMPLE_DELTA },
  ...{ accountant: samplingRate === '1' ? 'exact' : 'pld', accountantVersion: ACCOUNTANT },
});

/** What a site says of its ledger in a round: charges from 0, by the accountants of the daemon. */
export function sampleCharge(
  { cap, samplingRate = '1' }: SamplePrivacy,
  round: number,
): BodyOf<'round.contribution'>['charge'] {
  if (cap === null) return null;
  const spent = (rounds: number): string => {
    const steps: GaussianEvent = {
      ...{ mechanism: 'gaussian', q: Number(samplingRate), z: NOISE },
      steps: LOCAL_STEPS * rounds,
    };
    const count: GaussianEvent = { mechanism: 'gaussian', q: 1, z: 10, steps: 1 };
    const epsilon = rounds === 0 ? 0 : boundOf([steps, count], Number(SAMPLE_DELTA));
    return decimalOf(Number(epsilon.toPrecision(12)));
  };
  return { ledgerSeq: round, before: spent(round), after: spent(round + 1), event: 'gaussian' };
}
