import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { matrixOf } from '../backends/matrix.js';
import type { UnitRange } from '../ops/op.js';
import { columnNorm, squares } from './squares.js';

/** A product a·W (+ b) as its way back meets it; rows are units, `positions` of them each. */
export interface AffineProduct {
  /** [units · positions, in] */
  readonly a: Tensor;
  /** gradient before the activation, [units · positions, out] */
  readonly dz: Tensor;
  readonly positions: number;
  readonly hasBias: boolean;
}

/** A product of a backend is so many times faster than a plain loop. */
const PRODUCT_GAIN = 8;

/**
 * Adds ‖Σ over a patient's rows of aᵀ·dz‖² (and of the bias) to each patient's number.
 *
 * Few rows: the Gram form Σᵣₛ (aᵣ·aₛ)(dzᵣ·dzₛ), in float64, which never makes a gradient. Many rows: the gradient of
 * the patient itself, which also keeps its accuracy where rows cancel each other.
 *
 * @see Li et al. 2022 (arXiv:2110.05679), section 4
 */
export function addAffineNorms(
  { a, dz, positions, hasBias }: AffineProduct,
  patients: readonly UnitRange[],
  norms: Float64Array,
  backend: TrainingBackend,
): void {
  const [inner, outer] = [a.shape[1] ?? 1, dz.shape[1] ?? 1];
  const isSmall = ({ from, to }: UnitRange): boolean =>
    (to - from) * positions * (inner + outer) * PRODUCT_GAIN <= inner * outer;
  const one = ({ from, to }: UnitRange): boolean => (to - from) * positions === 1;
  const byGram = patients.map((patient) => one(patient) || isSmall(patient));
  const scratch = backend.allocate([byGram.every(Boolean) ? 1 : inner, outer]);
  // nothing is allocated from here on: the views stay valid
  const [left, right] = [backend.view(a), backend.view(dz)];
  patients.forEach(({ from, to }, p) => {
    const rows = { first: from * positions, count: (to - from) * positions };
    const part = (values: Float32Array, width: number): Float32Array =>
      values.subarray(rows.first * width, (rows.first + rows.count) * width);
    const [ofInput, ofOutput] = [part(left, inner), part(right, outer)];
    if (byGram[p]) norms[p]! += gramNorm(ofInput, ofOutput, rows.count, hasBias ? 1 : 0);
    else {
      const gradient = matrixOf(backend.view(scratch), inner, outer);
      backend.multiply(
        matrixOf(ofInput, rows.count, inner),
        matrixOf(ofOutput, rows.count, outer),
        gradient,
        { a: true },
      );
      norms[p]! += squares(gradient.values) + (hasBias ? columnNorm(ofOutput, outer) : 0);
    }
  });
  scratch.dispose();
}

/** Σᵣₛ (aᵣ·aₛ + bias)(dzᵣ·dzₛ) @param bias 1 if a bias is added to the product, else 0 */
function gramNorm(a: Float32Array, dz: Float32Array, rows: number, bias: number): number {
  const [inner, outer] = [a.length / rows, dz.length / rows];
  let sum = 0;
  for (let r = 0; r < rows; r++) {
    for (let s = r; s < rows; s++) {
      const term = (rowProduct(a, r, s, inner) + bias) * rowProduct(dz, r, s, outer);
      sum += r === s ? term : 2 * term;
    }
  }
  // rounding may leave a norm of 0 a little below it
  return Math.max(0, sum);
}

function rowProduct(values: Float32Array, r: number, s: number, width: number): number {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += values[r * width + i]! * values[s * width + i]!;
  return sum;
}
