import { add } from '../numbers.js';
import { LEAST_SHOWN } from './small-cells.js';

const BINS = 10;
/** Numbers that a site sends for calibration. */
export const CALIBRATION_LENGTH = 3 * BINS + 1;

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
  const sums = new Float64Array(CALIBRATION_LENGTH);
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

/** What a model says of its own certainty, over all units. */
export interface Calibration {
  /** expected calibration error over ten equal bins */
  readonly ece: number;
  /** Brier score, summed over classes */
  readonly brier: number;
  /** by rising confidence; mean confidence and share of hits, null where too few units are in a bin, or in those hidden */
  readonly bins: readonly {
    readonly units: number | null;
    readonly confidence: number | null;
    readonly accuracy: number | null;
  }[];
}

/**
 * Calibration from summed vectors; null without units.
 *
 * @param isPublic whether bins of 1 to 4 units may be shown
 */
export function calibrationOf(sums: Float64Array, isPublic = true): Calibration | null {
  let [total, gap] = [0, 0];
  const hidden = isPublic ? new Set<number>() : hiddenBins(sums);
  const bins = Array.from({ length: BINS }, (_, bin) => {
    const units = Math.round(sums[3 * bin] ?? 0);
    const [confidence = 0, hits = 0] = sums.subarray(3 * bin + 1, 3 * bin + 3);
    total += units;
    gap += Math.abs(confidence - hits);
    if (hidden.has(bin)) return { units: null, confidence: null, accuracy: null };
    if (units === 0) return { units, confidence: null, accuracy: null };
    return { units, confidence: confidence / units, accuracy: Math.round(hits) / units };
  });
  return total === 0 ? null : { ece: gap / total, brier: (sums[3 * BINS] ?? 0) / total, bins };
}

/** Bins of too few units, and larger ones until all hidden together are enough: their sum follows from the total. */
function hiddenBins(sums: Float64Array): Set<number> {
  const unitsOf = (bin: number): number => Math.round(sums[3 * bin] ?? 0);
  const bySize = Array.from({ length: BINS }, (_, bin) => bin).filter((bin) => unitsOf(bin) > 0);
  bySize.sort((a, b) => unitsOf(a) - unitsOf(b) || a - b);
  const hidden = new Set<number>();
  let together = 0;
  for (const bin of bySize) {
    const isSmall = unitsOf(bin) < LEAST_SHOWN || (together > 0 && together < LEAST_SHOWN);
    if (!isSmall) break;
    hidden.add(bin);
    together += unitsOf(bin);
  }
  return hidden;
}
