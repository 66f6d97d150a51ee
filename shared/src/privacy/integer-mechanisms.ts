import { RegulonError } from '../errors/index.js';
import { verifyNoise } from './checks.js';

/** Standard deviation of one contributor, in ring units, below which sums of discrete Gaussians are no Gaussian. */
export const LEAST_LOCAL_SIGMA = 4;

/** An integer mechanism: `contributors` add independent integer noise each to a vector of `dimensions` integers. */
export interface IntegerMechanism {
  readonly mechanism: 'discrete-gaussian' | 'skellam';
  /** standard deviation that each contributor adds, in integer units, > 0 */
  readonly localSigma: number;
  /** how many surely add it */
  readonly contributors: number;
  /** L2 sensitivity after rounding, in integer units; see `roundedSensitivity` */
  readonly sensitivity: number;
  readonly dimensions: number;
}

/** Orders at which integer mechanisms are accounted for: theirs hold for whole orders. */
export const integerOrders: readonly number[] = [...Array.from({ length: 127 }, (_, k) => 2 + k), 256];

/**
 * Bound of a vector's L2 norm after stochastic rounding that is repeated until the bound holds; its probability of
 * holding at once is at least 1 − e^{−½}.
 *
 * @param norm bound before rounding, in integer units
 * @param dimensions length of the vector
 * @see Kairouz, Liu & Steinke 2021 (arXiv:2102.06387), Proposition 22
 */
export function roundedSensitivity(norm: number, dimensions: number): number {
  const root = Math.sqrt(dimensions);
  // √(2 ln(1/β)) = 1 for β = e^{−½}
  return Math.min(norm + root, Math.sqrt(norm * norm + dimensions / 4 + (norm + root / 2)));
}

/**
 * Rényi divergence of one release of an integer mechanism.
 *
 * @param order α > 1, whole for Skellam
 * @throws E_PRIVACY when noise, sensitivity or sizes are out of range
 * @see Kairouz, Liu & Steinke 2021 (arXiv:2102.06387), Proposition 14; Agarwal, Kairouz & Liu 2021 (arXiv:2110.04995)
 */
export function rdpOfInteger(event: IntegerMechanism, order: number): number {
  const { mechanism, localSigma, contributors, sensitivity, dimensions } = event;
  verifyNoise(localSigma);
  if (!(sensitivity > 0) || !Number.isFinite(sensitivity) || !(contributors >= 1) || !(dimensions >= 1))
    throw new RegulonError(
      'E_PRIVACY',
      'an integer mechanism needs a sensitivity, contributors and dimensions',
    );
  const l1 = sensitivity * Math.min(Math.sqrt(dimensions), sensitivity);
  const variance = contributors * localSigma * localSigma;
  return mechanism === 'skellam'
    ? skellam({ order, l1, l2: sensitivity, variance })
    : discreteGaussian({ order, l1, l2: sensitivity, variance }, event);
}

interface Divergence {
  readonly order: number;
  /** sensitivities in integer units */
  readonly l1: number;
  readonly l2: number;
  /** of the sum */
  readonly variance: number;
}

function discreteGaussian({ order, l1, l2, variance }: Divergence, event: IntegerMechanism): number {
  const { dimensions: d } = event;
  const tau = discreteGaussianGap(event.localSigma, event.contributors);
  const scale = Math.sqrt(variance);
  const [L1, L2] = [l1 / scale, l2 / scale];
  return Math.min(
    0.5 * order * L2 ** 2 + tau * d,
    0.5 * order * (L2 ** 2 + 2 * L1 * tau + tau ** 2 * d),
    0.5 * order * (L2 + Math.sqrt(d) * tau) ** 2,
  );
}

/** τ: how far a sum of discrete Gaussians is from a discrete Gaussian. Below 10⁻⁶⁷ from σ = 4 on. */
export function discreteGaussianGap(localSigma: number, contributors: number): number {
  let sum = 0;
  for (let k = 1; k < contributors; k++) sum += Math.exp((-2 * Math.PI ** 2 * localSigma ** 2 * k) / (k + 1));
  return 10 * sum;
}

function skellam({ order, l1, l2, variance }: Divergence): number {
  const squared = l2 * l2;
  return (
    (order * squared) / (2 * variance) +
    Math.min(((2 * order - 1) * squared + 6 * l1) / (4 * variance ** 2), (3 * l1) / (2 * variance))
  );
}
