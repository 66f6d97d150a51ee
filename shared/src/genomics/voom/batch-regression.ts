import { add } from '../numbers.js';
import type { Expression } from './expression.js';

/** Units of one batch and one gene, batch effect taken away with its weights. */
export interface GeneInBatch {
  /** what the batch mean leaves of each unit's covariates, row-major [units, covariates] */
  readonly z: Float64Array;
  /** what it leaves of their values */
  readonly y: Float64Array;
  readonly weights: Float64Array;
  /** weighted means */
  readonly meanY: number;
  readonly meanZ: Float64Array;
  readonly totalWeight: number;
}

/**
 * Subtract the (weighted) means of a batch from one gene and from the covariates (Frisch–Waugh): what is left holds no
 * effect of the batch, and gives the same effects of the covariates as a model with a column for each batch.
 *
 * @param weightOf weight of a unit, > 0
 */
export function withoutBatch(
  { genes, covariates, logCpm, z }: Expression,
  units: readonly number[],
  gene: number,
  weightOf: (unit: number) => number,
): GeneInBatch {
  const n = units.length;
  const [weights, y, ownZ] = [n, n, n * covariates].map((length) => new Float64Array(length)) as Three;
  let totalWeight = 0;
  // plain loops here: for every gene of every unit, again in each round
  for (let i = 0; i < n; i++) totalWeight += weights[i] = weightOf(units[i]!);
  const meanZ = new Float64Array(covariates);
  let meanY = 0;
  for (let i = 0; i < n; i++) {
    const share = weights[i]! / totalWeight;
    meanY += share * logCpm[units[i]! * genes + gene]!;
    for (let c = 0; c < covariates; c++) add(meanZ, c, share * z[units[i]! * covariates + c]!);
  }
  for (let i = 0; i < n; i++) {
    y[i] = logCpm[units[i]! * genes + gene]! - meanY;
    for (let c = 0; c < covariates; c++)
      ownZ[i * covariates + c] = z[units[i]! * covariates + c]! - meanZ[c]!;
  }
  return { weights, totalWeight, meanY, meanZ, y, z: ownZ };
}

type Three = [Float64Array, Float64Array, Float64Array];

/** Add Z̃ᵀWZ̃ (p × p) and Z̃ᵀWỸ (p) of a batch. */
export function addProducts(own: GeneInBatch, into: { zz: Float64Array; zy: Float64Array }): void {
  const p = own.meanZ.length;
  for (let i = 0; i < own.weights.length; i++) {
    for (let c = 0; c < p; c++) {
      const left = own.weights[i]! * own.z[i * p + c]!;
      add(into.zy, c, left * own.y[i]!);
      for (let d = 0; d < p; d++) add(into.zz, c * p + d, left * own.z[i * p + d]!);
    }
  }
}

/** Σ w (ỹ − z̃β)² of a batch. @param beta effects of the covariates on this gene */
export function squaresLeft(own: GeneInBatch, beta: Float64Array): number {
  const p = beta.length;
  let sum = 0;
  own.weights.forEach((weight, i) => {
    let left = own.y[i] ?? 0;
    for (let c = 0; c < p; c++) left -= (own.z[i * p + c] ?? 0) * (beta[c] ?? 0);
    sum += weight * left * left;
  });
  return sum;
}
