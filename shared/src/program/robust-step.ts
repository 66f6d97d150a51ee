import { RegulonError } from '../errors/index.js';
import type { ServerStep } from './server-step.js';
import type { TileTest } from './tile-test.js';

/** What the step of a robust combination depends on. */
export interface RobustTerms {
  readonly rule: 'median' | 'trimmed-mean';
  /** Σ w̃ᵢ of each group, in their order; what is outside (0, N] no group of honest sites has */
  readonly weights: readonly number[];
  /** N: sites of the plan */
  readonly sites: number;
  /** values left out at either end, of a trimmed mean */
  readonly trim: number;
  /** quantum: ring units per clip norm */
  readonly Q: number;
  /** clip norm, in the unit of the weights */
  readonly C: number;
  /** factor and floor by which the tiles of the groups are compared; absent where the plan does not ask */
  readonly tiles?: TileTest | undefined;
}

/**
 * Robust combination of groups: next = global + the median, or the trimmed mean, of the groups' Σ w̃ᵢΔᵢ / Σ w̃ᵢ, coordinate
 * by coordinate, in float64 in one fixed order (values ascending), rounded once. The median of an even number is the mean
 * of the middle two. It survives ⌊(k − 1)/2⌋ poisoned groups of k, a trimmed mean as many as it leaves out at one end.
 *
 * A group whose weight no honest sites can have counts as one that moved nothing: it is poisoned, and a poisoned site must
 * not be able to end the run, or to change how many values are compared.
 *
 * @throws E_POLICY when the rule cannot tell so few groups apart
 * @see Yin et al. 2018 (arXiv:1803.01498), Algorithm 1
 */
export function robustStep({ rule, weights, sites, trim, Q, C }: Omit<RobustTerms, 'tiles'>): ServerStep {
  const k = weights.length;
  const [low, high] = rule === 'median' ? [(k - 1) >> 1, k >> 1] : [trim, k - 1 - trim];
  if (k < (rule === 'median' ? 3 : 2 * trim + 1))
    throw new RegulonError(
      'E_POLICY',
      `${k} groups are too few for a ${rule}${trim > 0 ? ` of trim ${trim}` : ''}`,
    );
  const values = new Float64Array(k);
  return {
    tile(global, sums, out) {
      for (let i = 0; i < global.length; i++) {
        for (let g = 0; g < k; g++) {
          const weight = weights[g] ?? 0;
          const usable = weight > 0 && weight <= sites;
          insert(values, g, usable ? (((sums[g]?.[i] ?? 0) / Q) * C) / weight : 0);
        }
        let total = 0;
        for (let g = low; g <= high; g++) total += values[g] ?? 0;
        out[i] = (global[i] ?? 0) + total / (high - low + 1);
      }
    },
  };
}

/** Put a value among the first `count`, which ascend; groups are few, and a call of `sort` would cost more than this. */
function insert(values: Float64Array, count: number, value: number): void {
  let place = count;
  for (; place > 0 && (values[place - 1] ?? 0) > value; place--) values[place] = values[place - 1] ?? 0;
  values[place] = value;
}
