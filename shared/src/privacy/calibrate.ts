import { RegulonError } from '../errors/index.js';
import { rdpEpsilon } from './account.js';
import { verifyDelta, verifyRate, verifySteps } from './checks.js';
import { gaussianNoise } from './exact-gaussian.js';
import { pldEpsilon } from './pld.js';
import { whereFallsTo } from './root.js';

/** Relative accuracy of a calibrated noise multiplier; it is rounded up. */
const TOLERANCE = 1e-5;

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
  readonly rdp: number;
  /** by the exact formula; null when units are sampled */
  readonly exact: number | null;
}

/**
 * Least noise multiplier with which a training stays within (ε, δ).
 *
 * @throws E_PRIVACY for parameters outside their range
 */
export function noiseFor({ epsilon, delta, q, steps }: NoiseTarget): CalibratedNoise {
  if (!(epsilon > 0) || !Number.isFinite(epsilon))
    throw new RegulonError('E_PRIVACY', 'the wanted ε must be a positive number');
  verifyDelta(delta);
  verifyRate(q);
  verifySteps(steps);
  const search = { low: 0, start: 1, tolerance: TOLERANCE };
  const rdp = whereFallsTo(
    (z) => rdpEpsilon([{ mechanism: 'gaussian', q, z, steps }], delta),
    epsilon,
    search,
  );
  // all steps on all units together are one Gaussian mechanism with z/√steps
  if (q === 1) {
    const exact = gaussianNoise(epsilon, delta) * Math.sqrt(steps);
    return { pld: exact, rdp, exact };
  }
  return { pld: pldNoise({ epsilon, delta, q, steps }, rdp), rdp, exact: null };
}

/**
 * Secants in ln z and ln ε, which is nearly a line of slope −1: a few evaluations of the fine grid.
 *
 * @param start a noise that is enough
 */
function pldNoise({ epsilon, delta, q, steps }: NoiseTarget, start: number): number {
  const excessAt = (z: number): number => Math.log(pldEpsilon([{ q, z, steps }], delta) / epsilon);
  let best = start;
  let [at, excess] = [Math.log(start), excessAt(start)];
  let slope = -1;
  for (let step = 0; step < 12 && Math.abs(excess) > TOLERANCE; step++) {
    // aimed a little below the target, as noise is rounded up
    const next = at - (excess + TOLERANCE / 2) / slope;
    const found = excessAt(Math.exp(next));
    slope = Math.min(-0.2, (found - excess) / (next - at));
    [at, excess] = [next, found];
    if (excess <= 0) best = Math.min(best, Math.exp(at));
  }
  return best;
}
