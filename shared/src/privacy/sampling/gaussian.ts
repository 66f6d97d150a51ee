import type { WordSource } from './random-words.js';

const { cos, log, round, sin, sqrt } = Math;

/** Uniform in (0, 1] with 53 bits. */
function uniform53(source: WordSource): number {
  const high = source.next() >>> 5;
  const low = source.next() >>> 6;
  return (high * 2 ** 26 + low + 1) * 2 ** -53;
}

/**
 * Add Gaussian noise of a standard deviation to every element, in float64, and round the sums to multiples of a grid: the
 * rounding hides the low bits through which a floating-point sampler would tell its input (Mironov 2012). Only for
 * noise of a single source; a sum of several would need the exact sampler.
 *
 * @param values changed in place
 * @param sigma ≥ 0
 * @param grid > 0, a power of two times the clip norm
 * @see Box & Muller 1958
 */
export function addRoundedGaussian(
  values: Float64Array,
  { sigma, grid }: { sigma: number; grid: number },
  source: WordSource,
): void {
  for (let k = 0; k < values.length; k += 2) {
    const radius = sigma * sqrt(-2 * log(uniform53(source)));
    const angle = 2 * Math.PI * uniform53(source);
    values[k] = round((values[k]! + radius * cos(angle)) / grid) * grid;
    if (k + 1 < values.length) values[k + 1] = round((values[k + 1]! + radius * sin(angle)) / grid) * grid;
  }
}
