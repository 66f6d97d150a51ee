/**
 * ε of steps of DP-SGD, for an auditor: nothing of it is shared with the accountants of the sites. Steps on everybody by
 * integration of the densities, sampled steps by Rényi divergences of whole order. Python's second verifier has its own.
 */
export interface StepsOfPatients {
  /** sampling rate, in (0, 1] */
  readonly q: number;
  /** noise multiplier, > 0 */
  readonly z: number;
  readonly steps: number;
}

/** Noise multiplier of the count of patients that goes out once a run. */
export const COUNT_NOISE = 10;
/** What is stated may lie so much, relatively, beside what is recomputed. */
export const TOLERANCE = 1e-6;
const ORDERS = [...Array.from({ length: 127 }, (_, k) => k + 2), 256];
/** Width of the integral in standard deviations, and its intervals (even). */
const [REACH, INTERVALS] = [14, 1000];

/**
 * What a ledger must have recorded at least, at δ; 0 for no steps.
 *
 * @param delta in (0, 1)
 */
export function epsilonOfSteps(events: readonly StepsOfPatients[], delta: number): number {
  if (events.length === 0) return 0;
  if (events.every(({ q }) => q === 1)) {
    const mu = Math.sqrt(events.reduce((sum, { z, steps }) => sum + steps / z ** 2, 0));
    return whereDeltaIs(mu, delta);
  }
  return Math.max(0, Math.min(...ORDERS.map((order) => epsilonAt(events, order, delta))));
}

/** By bisection: δ falls as ε rises. */
function whereDeltaIs(mu: number, delta: number): number {
  let [low, high] = [0, 1];
  if (deltaOf(mu, 0) <= delta) return 0;
  while (deltaOf(mu, high) > delta) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (deltaOf(mu, middle) > delta) low = middle;
    else high = middle;
  }
  return high;
}

/** ∫ (p − e^ε·r)⁺ of p = N(μ, 1) and r = N(0, 1), by Simpson's rule from where the densities cross. */
function deltaOf(mu: number, epsilon: number): number {
  const from = epsilon / mu + mu / 2;
  const width = REACH / INTERVALS;
  let sum = 0;
  for (let i = 0; i <= INTERVALS; i++) {
    const x = from + i * width;
    const density = Math.exp(-((x - mu) ** 2) / 2) - Math.exp(epsilon - (x * x) / 2);
    sum += density * (i === 0 || i === INTERVALS ? 1 : i % 2 === 1 ? 4 : 2);
  }
  return (sum * width) / 3 / Math.sqrt(2 * Math.PI);
}

/** @see Canonne, Kamath & Steinke 2020 (arXiv:2004.00010), Proposition 12 */
function epsilonAt(events: readonly StepsOfPatients[], order: number, delta: number): number {
  const divergence = events.reduce((sum, event) => sum + event.steps * divergenceOf(event, order), 0);
  return divergence + Math.log1p(-1 / order) - Math.log(delta * order) / (order - 1);
}

/** @see Mironov, Talwar & Zhang 2019 (arXiv:1908.10530), section 3.3 */
function divergenceOf({ q, z }: StepsOfPatients, order: number): number {
  if (q === 1) return order / (2 * z * z);
  const terms: number[] = [];
  let binomial = 0;
  for (let i = 0; i <= order; i++) {
    if (i > 0) binomial += Math.log((order - i + 1) / i);
    terms.push(binomial + i * Math.log(q) + (order - i) * Math.log1p(-q) + (i * i - i) / (2 * z * z));
  }
  const top = Math.max(...terms);
  return (top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0))) / (order - 1);
}
