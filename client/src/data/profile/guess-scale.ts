import { quantileOf } from './sample.js';

/** Scales that can be told from the numbers. */
export const SCALES = [
  'counts',
  'cpm',
  'tpm',
  'log',
  'log-ratio',
  'linear',
  'signed-intensities',
  'constant',
] as const;
export type Scale = (typeof SCALES)[number];

/** What the guess looks at; `units` are the sums and first values of units. */
export interface ScaleEvidence {
  readonly negative: number;
  readonly fractional: number;
  readonly min: number;
  readonly max: number;
  /** values that are neither missing nor zero, sorted */
  readonly sample: Float64Array;
  readonly unitSums: Float64Array;
  /** all values of some units */
  readonly units: readonly ArrayLike<number>[];
}

const MILLION = 1e6;
/** log2 of the largest count that any machine gives is far below */
const LARGEST_LOG = 40;

/**
 * The scale that numbers seem to have.
 *
 * Fractional values that sum to a million in every unit are CPM when they are multiples of one count, else TPM.
 */
export function guessScale(evidence: ScaleEvidence): Scale {
  const { negative, fractional, min, max, unitSums, units, sample } = evidence;
  if (sample.length === 0 || min === max) return 'constant';
  if (negative > 0) return max > LARGEST_LOG || min < -LARGEST_LOG ? 'signed-intensities' : 'log-ratio';
  if (fractional === 0) return 'counts';
  if (unitSums.every((sum) => Math.abs(sum / MILLION - 1) < 0.01)) {
    return units.every(areMultiples) ? 'cpm' : 'tpm';
  }
  return max <= LARGEST_LOG && quantileOf(sample, 0.5) < LARGEST_LOG / 2 ? 'log' : 'linear';
}

/** Whether the values of a unit are whole multiples of the smallest one, within rounding. */
function areMultiples(values: ArrayLike<number>): boolean {
  const positive = Array.from(values).filter((x) => x > 0);
  const unit = Math.min(...positive.slice(0, 100_000));
  if (!Number.isFinite(unit)) return true;
  const near = positive.filter((x) => Math.abs(x / unit - Math.round(x / unit)) < 0.02 * Math.sqrt(x / unit));
  return near.length > 0.95 * positive.length && positive.some((x) => x > 1.5 * unit);
}

/** Whether numbers that look like one scale may be declared as another. */
export function contradicts(declared: Scale, found: Scale): boolean {
  if (declared === found || found === 'constant') return false;
  const fits: Partial<Record<Scale, readonly Scale[]>> = {
    linear: ['counts', 'cpm', 'tpm', 'log'],
    cpm: ['tpm', 'linear'],
    tpm: ['cpm', 'linear'],
    log: ['log-ratio', 'linear'],
    'log-ratio': ['log'],
    'signed-intensities': ['log-ratio', 'linear'],
  };
  return !(fits[declared] ?? []).includes(found);
}
