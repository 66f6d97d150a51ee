import { RegulonError } from '../errors/index.js';
import { rdpEpsilon } from './account.js';
import { verifyDelta, verifyRate, verifySteps } from './checks.js';
import { gaussianNoise } from './exact-gaussian.js';
import { pldEpsilon } from './pld.js';
import { whereFallsTo } from './root.js';

/** Relative accuracy of a calibrated noise multiplier; it is rounded up. */
const TOLERANCE = 1e-5;
const MOST_EVALUATIONS = 60;

/** What a training is to cost. */
export interface NoiseTarget {
  readonly epsilon: number;
  readonly delta: number;
  /** sampling rate of a step */
  readonly q: number;
  readonly steps: number;
}

/** Least noise multipliers that meet a target, by accountant. */
export interface CalibratedNoise {
  /** by privacy loss distributions: the one to use */
  readonly pld: number;
  /** infinite where the orders reach no ε so small */
  readonly rdp: number;
  /** by the exact formula; null when units are sampled */
  readonly exact: number | null;
}

/**
 * Least noise multiplier with which a training stays within (ε, δ).
 *
 * @throws E_PRIVACY for parameters outside their range, and for a δ at which units need no noise at all
 */
export function noiseFor({ epsilon, delta, q, steps }: NoiseTarget): CalibratedNoise {
  if (!(epsilon > 0) || !Number.isFinite(epsilon))
    throw new RegulonError('E_PRIVACY', 'the wanted ε must be a positive number');
  verifyDelta(delta);
  verifyRate(q);
  verifySteps(steps);
  // ln of the probability that a unit is in no batch
  if (delta >= -Math.expm1(steps * Math.log1p(-q)))
    throw new RegulonError(
      'E_PRIVACY',
      'δ is not below the probability that a unit is drawn at all: it would protect nobody',
    );
  const search = { low: 0, start: 1, tolerance: TOLERANCE };
  const rdp = whereFallsTo(
    (z) => rdpEpsilon([{ mechanism: 'gaussian', q, z, steps }], delta),
    epsilon,
    search,
  );
  // all steps on all units together are one Gaussian mechanism with z/√steps
  const onAll = gaussianNoise(epsilon, delta) * Math.sqrt(steps);
  if (q === 1) return { pld: onAll, rdp, exact: onAll };
  // a sample needs no more noise than all units do
  return { pld: pldNoise({ epsilon, delta, q, steps }, Math.min(rdp, onAll)), rdp, exact: null };
}

/**
 * Secants in ln z and ln ε, which is nearly a line of slope −1: a few evaluations of the fine grid. Between a noise that
 * is enough and one that is not, as ε may be 0 (without a logarithm) or infinite.
 *
 * @param start first guess
 */
function pldNoise({ epsilon, delta, q, steps }: NoiseTarget, start: number): number {
  const excessAt = (z: number): number => Math.log(pldEpsilon([{ q, z, steps }], delta) / epsilon);
  let [lacking, enough] = [-Infinity, Infinity];
  let [at, slope] = [Math.log(start), -1];
  let before: { at: number; excess: number } | undefined;
  for (let evaluation = 0; evaluation < MOST_EVALUATIONS; evaluation++) {
    const excess = excessAt(Math.exp(at));
    if (excess <= 0) enough = at;
    else lacking = at;
    if ((excess <= 0 && excess > -TOLERANCE) || enough - lacking <= TOLERANCE) break;
    if (before && Number.isFinite(excess - before.excess))
      slope = Math.min(-0.2, (excess - before.excess) / (at - before.at));
    before = { at, excess };
    // aimed a little below the target, as noise is rounded up; never far, as little noise needs a large grid
    const step = -(excess + TOLERANCE / 2) / slope;
    const aim = at + Math.max(-Math.LN2, Math.min(Math.LN2, step));
    at = aim > lacking && aim < enough ? aim : (lacking + enough) / 2;
  }
  return Math.exp(enough);
}
