import { verifyDelta, verifyNoise } from './checks.js';
import { logNormalCdf } from './normal.js';
import { whereFallsTo } from './root.js';

/** Steps of the Gaussian mechanism on all units (q = 1) with one noise multiplier. */
export interface GaussianSteps {
  /** standard deviation over sensitivity, > 0 */
  readonly z: number;
  readonly steps: number;
}

/** μ = √Σ steps/z²: any sequence of Gaussian mechanisms is exactly as private as one with noise 1/μ. */
export function gaussianMu(events: readonly GaussianSteps[]): number {
  events.forEach(({ z }) => verifyNoise(z));
  return Math.sqrt(events.reduce((sum, { z, steps }) => sum + steps / (z * z), 0));
}

/**
 * δ(ε) of a μ-GDP mechanism, exact: Φ(−ε/μ + μ/2) − e^ε·Φ(−ε/μ − μ/2).
 *
 * @see Balle & Wang 2018 (arXiv:1805.06530), Theorem 8
 */
export function gaussianDelta(mu: number, epsilon: number): number {
  if (mu === 0) return 0;
  const a = logNormalCdf(-epsilon / mu + mu / 2);
  const b = epsilon + logNormalCdf(-epsilon / mu - mu / 2);
  return Math.exp(a) * -Math.expm1(b - a);
}

/** ε(δ) of a μ-GDP mechanism, exact. @throws E_PRIVACY unless 0 < δ < 1 */
export function gaussianEpsilon(mu: number, delta: number): number {
  verifyDelta(delta);
  if (gaussianDelta(mu, 0) <= delta) return 0;
  return whereFallsTo((epsilon) => gaussianDelta(mu, epsilon), delta, { low: 0, start: 1 });
}

/** Least noise multiplier with which one Gaussian mechanism has (ε, δ). @throws E_PRIVACY */
export function gaussianNoise(epsilon: number, delta: number): number {
  verifyDelta(delta);
  return whereFallsTo((z) => gaussianDelta(1 / z, epsilon), delta, { low: 0, start: 1 });
}
