import { RegulonError } from '../errors/index.js';

/** How a decoded sum becomes the next model; identical bytes at the coordinator, at every site and in the verifier. */
export interface ServerStep {
  /**
   * One tile of the next model.
   *
   * @param global current weights, float32, shape [m]; not changed
   * @param aggregate unmasked ring words of the same coordinates, signed, shape [m]
   * @param out receives the next weights, float32, shape [m]; may be `global` itself
   */
  tile(global: Float32Array, aggregate: Int32Array, out: Float32Array): void;
}

/**
 * FedAvg: next = global + Σ w̃ᵢΔᵢ / Σ w̃ᵢ, in float64 with + − × ÷ in one fixed order, rounded once.
 *
 * FedSGD uses the same step: its Δᵢ is one gradient step.
 *
 * @param weight W = Σ w̃ᵢ, in (0, N]
 * @param Q quantum: ring units per clip norm
 * @param C clip norm, in the unit of the weights
 * @throws E_COHORT when the weight is not positive (nobody contributed)
 * @see McMahan et al. 2017, Algorithm 1
 */
export function fedAvgStep(weight: number, Q: number, C: number): ServerStep {
  if (!(weight > 0)) throw new RegulonError('E_COHORT', 'the sum carries no weight: no site contributed');
  return {
    tile(global, aggregate, out) {
      for (let k = 0; k < global.length; k++) {
        out[k] = (global[k] ?? 0) + (((aggregate[k] ?? 0) / Q) * C) / weight;
      }
    },
  };
}
