import { add } from '../numbers.js';

const BINS = 10;

/**
 * What a site sends for calibration: per bin of confidence units, Σ confidence and hits; last Σ (p − y)² over all classes.
 *
 * @param probabilities row-major [units, classes], each row sums to 1
 * @param labels class of each unit
 * @returns shape [31]; the caller owns it
 */
export function calibrationSums(
  probabilities: Float64Array,
  labels: ArrayLike<number>,
  classes: number,
): Float64Array {
  const sums = new Float64Array(3 * BINS + 1);
  for (let unit = 0; unit < labels.length; unit++) {
    const row = probabilities.subarray(unit * classes, (unit + 1) * classes);
    const confidence = Math.max(...row);
    const predicted = row.indexOf(confidence);
    const bin = Math.min(BINS - 1, Math.floor(confidence * BINS));
    add(sums, 3 * bin, 1);
    add(sums, 3 * bin + 1, confidence);
    add(sums, 3 * bin + 2, predicted === labels[unit] ? 1 : 0);
    row.forEach((p, c) => add(sums, 3 * BINS, (p - (c === labels[unit] ? 1 : 0)) ** 2));
  }
  return sums;
}

/** Expected calibration error over ten equal bins and the Brier score (sum over classes); null without units. */
export function calibrationOf(sums: Float64Array): { ece: number; brier: number } | null {
  let [units, gap] = [0, 0];
  for (let bin = 0; bin < BINS; bin++) {
    units += Math.round(sums[3 * bin] ?? 0);
    gap += Math.abs((sums[3 * bin + 1] ?? 0) - (sums[3 * bin + 2] ?? 0));
  }
  return units === 0 ? null : { ece: gap / units, brier: (sums[3 * BINS] ?? 0) / units };
}
