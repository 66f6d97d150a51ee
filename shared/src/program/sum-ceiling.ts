import type { Plan } from '../plan/index.js';
import { kappa } from '../secagg/index.js';
import type { RunContract } from './contract.js';
import { quantumOf } from './quantum.js';

/** What bounds the norm of a sum of honest updates. */
export interface CeilingTerms {
  /** |U3|: uploads in the sum */
  readonly survivors: number;
  /** clip norm, in the unit of the weights */
  readonly C: number;
  /** quantum: ring units per clip norm */
  readonly Q: number;
  /** coordinates */
  readonly d: number;
  /** κ·z of noise in the ring: standard deviation of the noise of the sum, at most, in clip norms; 0 without */
  readonly noise: number;
}

/**
 * The longest that an honest sum can be: |U3|·C·(1 + √d/Q), the second part by rounding, and κ·z·C·(√d + 6) with noise in
 * the ring. It stops an update scaled beyond all clip norms together, not a subtle one.
 *
 * @returns L2 norm in the unit of the weights
 */
export function ceilingOf({ survivors, C, Q, d, noise }: CeilingTerms): number {
  const root = Math.sqrt(d);
  return survivors * C * (1 + root / Q) + noise * C * (root + 6);
}

/** κ·z of a plan. κ is its largest over all cohorts: who missed a round does not know how many began it. */
export function noiseOfSum({
  plan,
  members,
  quorumRule,
}: Pick<RunContract, 'plan' | 'members' | 'quorumRule'>): number {
  const { noise, nMin, gamma, subCohort = 0 } = plan.secureAggregation;
  if (!noise) return 0;
  const terms = {
    N: plan.sites.length,
    nMin,
    gammaNum: gamma.num,
    gammaDen: gamma.den,
    quorumRule,
    subCohort,
  };
  return noise.z * kappa(terms, { M: members });
}

/** Ceiling of the sum of so many sites in the training rounds of a run. @param d coordinates of the model */
export function ceilingOfRound(
  contract: Pick<RunContract, 'plan' | 'members' | 'quorumRule'>,
  { survivors, d }: Pick<CeilingTerms, 'survivors' | 'd'>,
): number {
  const { plan } = contract;
  return ceilingOf({ survivors, d, noise: noiseOfSum(contract), ...scaleOf(plan) });
}

/** Q and C of a plan. */
export const scaleOf = (plan: Plan): { readonly Q: number; readonly C: number } => ({
  Q: quantumOf(plan),
  C: plan.secureAggregation.clipNorm,
});
