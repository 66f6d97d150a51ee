import { verifyDelta, verifyNoise, verifyRate } from './checks.js';
import { logErfc } from './normal.js';

const { abs, exp, expm1, log, log1p, max } = Math;

/** Terms this far (in logarithms) below the sum change no digit of it. */
const NEGLIGIBLE = 45;
/** Logarithm of the relative error at which a slow series is left. */
const ACCURACY = log(1e-11);

/** Orders 1.1 … 10.9 by tenths, 11 … 63, and four large ones for little noise. */
export const rdpOrders: readonly number[] = [
  ...Array.from({ length: 99 }, (_, k) => (11 + k) / 10),
  ...Array.from({ length: 53 }, (_, k) => 11 + k),
  ...[128, 256, 512, 1024],
];

/**
 * Rényi divergence of one step of the Poisson-subsampled Gaussian mechanism, with the signs of the binomial
 * coefficients at fractional orders (libraries that add absolute values give an upper bound).
 *
 * @param q sampling rate, 0 < q ≤ 1
 * @param z noise multiplier, > 0
 * @param order α > 1
 * @throws E_PRIVACY for another q or z
 * @see Mironov, Talwar & Zhang 2019 (arXiv:1908.10530), §3.3
 */
export function rdpOfSampledGaussian(q: number, z: number, order: number): number {
  verifyRate(q);
  verifyNoise(z);
  if (q === 1) return order / (2 * z * z);
  const logA = Number.isInteger(order) ? logMomentInteger(q, z, order) : logMomentFractional(q, z, order);
  return max(0, logA) / (order - 1);
}

/** ln Σ C(α, i) qⁱ (1−q)^{α−i} e^{(i²−i)/2z²}, whole α. */
function logMomentInteger(q: number, z: number, order: number): number {
  let sum = -Infinity;
  let logBinomial = 0;
  for (let i = 0; i <= order; i++) {
    const term = logBinomial + i * log(q) + (order - i) * log1p(-q) + (i * i - i) / (2 * z * z);
    sum = logAdd(sum, term);
    logBinomial += log((order - i) / (i + 1));
  }
  return sum;
}

/** The same moment at a fractional order: two series, cut at z₀ where the mixture's parts are equal. */
function logMomentFractional(q: number, z: number, order: number): number {
  const cut = z * z * log(1 / q - 1) + 0.5;
  const [logQ, logRest] = [log(q), log1p(-q)];
  const half = (power: number, weight: number, x: number): number =>
    weight + (power * power - power) / (2 * z * z) + logErfc(x / (Math.SQRT2 * z)) - Math.LN2;
  let [positive, negative] = [-Infinity, -Infinity];
  let [logBinomial, sign] = [0, 1];
  for (let i = 0; ; i++) {
    const j = order - i;
    const term =
      logBinomial +
      logAdd(half(i, i * logQ + j * logRest, i - cut), half(j, j * logQ + i * logRest, cut - j));
    // beyond α the terms alternate and fall evenly: half of one stands for it and for all behind it
    const isLast = i > order && isEnough(term + log((order + 2) / i), positive, negative);
    const part = isLast ? term - Math.LN2 : term;
    if (sign > 0) positive = logAdd(positive, part);
    else negative = logAdd(negative, part);
    if (isLast) return logSubtract(positive, negative);
    logBinomial += log(abs(j) / (i + 1));
    if (j < 0) sign = -sign;
  }
}

/** Whether an error, as a logarithm, is nothing beside what the sum so far differs from 1. */
function isEnough(error: number, positive: number, negative: number): boolean {
  if (error < positive - NEGLIGIBLE) return true;
  const moment = logSubtract(positive, negative);
  return error < ACCURACY + (moment > 1 ? moment : log(abs(expm1(moment))));
}

/** ln(eᵃ + eᵇ) */
export function logAdd(a: number, b: number): number {
  const [high, low] = a > b ? [a, b] : [b, a];
  return low === -Infinity ? high : high + log1p(exp(low - high));
}

/** ln(eᵃ − eᵇ), a > b */
function logSubtract(a: number, b: number): number {
  return b === -Infinity ? a : a + log(-expm1(b - a));
}

/** ε by Rényi divergences, and the order that gave it. */
export interface RdpEpsilon {
  readonly epsilon: number;
  readonly order: number;
}

/**
 * Smallest ε over orders.
 *
 * @param rdp divergence of the whole composition at an order
 * @param orders defaults to `rdpOrders`
 * @throws E_PRIVACY unless 0 < δ < 1
 * @see Canonne, Kamath & Steinke 2020 (arXiv:2004.00010), Proposition 12
 */
export function epsilonFromRdp(
  rdp: (order: number) => number,
  delta: number,
  orders: readonly number[] = rdpOrders,
): RdpEpsilon {
  verifyDelta(delta);
  let best: RdpEpsilon = { epsilon: Infinity, order: orders[0] ?? Infinity };
  for (const order of orders) {
    const r = rdp(order);
    const epsilon = r + log1p(-1 / order) - log(delta * order) / (order - 1);
    if (epsilon < best.epsilon) best = { epsilon: max(0, epsilon), order };
  }
  return best;
}
