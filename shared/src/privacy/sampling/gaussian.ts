import type { WordSource } from './random-words.js';
import { standardNormal } from './standard-normal.js';

/**
 * Add Gaussian noise of a standard deviation to every element, in float64, and round the sums to multiples of a grid: the
 * rounding hides the low bits through which a floating-point sampler would tell its input (Mironov 2012). Only for
 * noise of a single source; a sum of several would need the exact sampler.
 *
 * @param values changed in place
 * @param sigma ≥ 0
 * @param grid > 0, a power of two times the clip norm
 */
export function addRoundedGaussian(
  values: Float64Array,
  { sigma, grid }: { sigma: number; grid: number },
  source: WordSource,
): void {
  for (let k = 0; k < values.length; k++)
    values[k] = Math.round((values[k]! + sigma * standardNormal(source)) / grid) * grid;
}
