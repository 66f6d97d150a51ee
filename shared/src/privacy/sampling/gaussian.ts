import { RandomWords, type WordSource } from './random-words.js';
import { quickNormals, standardNormal } from './standard-normal.js';

/** Fill an array with independent standard normal numbers, in float64. */
export function drawNormals(values: Float64Array, source: WordSource): void {
  for (let k = 0; k < values.length; k++) {
    if (source instanceof RandomWords) k += quickNormals(values.subarray(k), source);
    if (k < values.length) values[k] = standardNormal(source);
  }
}

/**
 * 1.5 · 2⁵²: added to a number below 2⁵¹ it leaves no bit for a fraction, so that the sum is rounded to the nearest whole
 * number (ties to even). Seven times as fast as Math.round, and 2⁵¹ grid steps of 2⁻²⁰ clip norms are 2³¹ patients.
 */
const WHOLE = 1.5 * 2 ** 52;

/** From a clipped sum to the mean that is released. */
export interface NoisyMean {
  /** standard deviation of the noise; ≥ 0 */
  readonly sigma: number;
  /** the noisy sum is rounded to its multiples; > 0 */
  readonly grid: number;
  /** a constant; > 0 */
  readonly denominator: number;
}

/**
 * Add Gaussian noise to every element of a sum, round to multiples of a grid, and divide by a constant: the rounding hides
 * the low bits through which a floating-point sampler would tell its input (Mironov 2012). Only for noise of a single
 * source; a sum of several would need the exact sampler. One pass over memory.
 *
 * @param sum [n]
 * @param normals independent standard normal numbers [n] that nobody has used; not changed
 * @param mean float32 [n], written; may be the sum itself
 */
export function toNoisyMean(
  sum: Float64Array | Float32Array,
  normals: Float64Array,
  mean: Float32Array,
  { sigma, grid, denominator }: NoisyMean,
): void {
  const [perGrid, unit] = [1 / grid, grid / denominator];
  for (let k = 0; k < sum.length; k++) {
    // the result is a whole number times a constant, whatever the bits before the rounding were
    mean[k] = ((sum[k]! + sigma * normals[k]!) * perGrid + WHOLE - WHOLE) * unit;
  }
}
