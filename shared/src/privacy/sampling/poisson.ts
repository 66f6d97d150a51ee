import { verifyRate } from '../checks.js';

const WORDS = 2 ** 32;

/**
 * Of 2³² words, how many mean that a unit is in a Poisson sample.
 *
 * @param rate in (0, 1]
 * @returns 1 … 2³²
 * @throws E_PRIVACY for another rate
 */
export function samplingThreshold(rate: number): number {
  verifyRate(rate);
  return Math.max(1, Math.round(rate * WORDS));
}

/** The rate that is sampled with, and charged: the multiple of 2⁻³² next to a declared one. @throws E_PRIVACY */
export function exactRate(rate: number): number {
  return samplingThreshold(rate) / WORDS;
}
