import { RegulonError } from '../errors/index.js';

const refuse = (rule: string): never => {
  throw new RegulonError('E_PRIVACY', rule);
};

/** @throws E_PRIVACY unless the noise multiplier is finite and positive */
export function verifyNoise(z: number): void {
  if (!(z > 0) || !Number.isFinite(z)) refuse('the noise multiplier z must be a positive number');
}

/** @throws E_PRIVACY unless 0 < q ≤ 1 */
export function verifyRate(q: number): void {
  if (!(q > 0 && q <= 1)) refuse('the sampling rate q must be above 0 and at most 1');
}

/** @throws E_PRIVACY unless 0 < δ < 1 */
export function verifyDelta(delta: number): void {
  if (!(delta > 0 && delta < 1)) refuse('δ must lie between 0 and 1, below 1 / (number of units)');
}

/** @throws E_PRIVACY unless steps is a whole number of at least 1 */
export function verifySteps(steps: number): void {
  if (!Number.isSafeInteger(steps) || steps < 1)
    refuse('the number of steps must be a whole number, 1 or more');
}
