import { RegulonError } from '../errors/index.js';
import type { OwnedRange } from './owned-blocks.js';

/** How decoded sums become the next model; identical bytes at the coordinator, at every site and in the verifier. */
export interface ServerStep {
  /**
   * One tile of the next model; tiles come in ascending order, each once.
   *
   * @param global current weights, float32, shape [m]; not changed
   * @param sums unmasked ring words of the same coordinates, signed, each of shape [m]: the sum of all sites, or of a
   *   robust rule the sum of each group in their order
   * @param out receives the next weights, float32, shape [m]; may be `global` itself
   * @param at place of the first coordinate in the whole vector
   */
  tile(global: Float32Array, sums: readonly Int32Array[], out: Float32Array, at: number): void;
}

/** What the step of FedAvg depends on. */
export interface FedAvgTerms {
  /** W = Σ w̃ᵢ, in (0, N] */
  readonly weight: number;
  /** quantum: ring units per clip norm */
  readonly Q: number;
  /** clip norm, in the unit of the weights */
  readonly C: number;
  /** coordinates with a divisor of their own, ascending: what only some sites, or some units, train */
  readonly owned: readonly OwnedRange[];
}

/**
 * FedAvg: next = global + Σ w̃ᵢΔᵢ / Σ w̃ᵢ, in float64 with + − × ÷ in one fixed order, rounded once. Coordinates that only
 * some sites, or some units, train are divided by their own divisor; they stay where nothing trained them.
 *
 * FedSGD uses the same step: its Δᵢ is one gradient step.
 *
 * @throws E_COHORT when the weight is not positive (nobody contributed)
 * @see McMahan et al. 2017, Algorithm 1
 */
export function fedAvgStep({ weight, Q, C, owned }: FedAvgTerms): ServerStep {
  if (!(weight > 0)) throw new RegulonError('E_COHORT', 'the sum carries no weight: no site contributed');
  return {
    tile(global, [aggregate = new Int32Array()], out, at) {
      const step = (from: number, to: number, divisor: number): void => {
        for (let k = from; k < to; k++) out[k] = (global[k] ?? 0) + (((aggregate[k] ?? 0) / Q) * C) / divisor;
      };
      const end = global.length;
      let done = 0;
      for (const { from, to, denominator } of owned) {
        const [first, last] = [Math.max(done, from - at), Math.min(end, to - at)];
        if (first >= last) continue;
        step(done, first, weight);
        if (denominator > 0) step(first, last, denominator);
        else out.set(global.subarray(first, last), first);
        done = last;
      }
      step(done, end, weight);
    },
  };
}
