import type { Tensor } from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { Transposed } from './backend.js';

/** Sizes of a product a·b. */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/**
 * Check that two matrices fit.
 *
 * @throws E_MODEL_SHAPE if one is no matrix or the inner sizes differ
 */
export function productSizes(a: Tensor, b: Tensor, transposed: Transposed): ProductSizes {
  const [aRows, aColumns] = sizesOf(a);
  const [bRows, bColumns] = sizesOf(b);
  const [m, k] = transposed.a ? [aColumns, aRows] : [aRows, aColumns];
  const [inner, n] = transposed.b ? [bColumns, bRows] : [bRows, bColumns];
  if (k !== inner) throw new RegulonError('E_MODEL_SHAPE', `a product of inner sizes ${k} and ${inner}`);
  return { m, k, n };
}

function sizesOf(tensor: Tensor): [number, number] {
  const [rows, columns] = tensor.shape;
  if (rows === undefined || columns === undefined || tensor.shape.length !== 2) {
    throw new RegulonError('E_MODEL_SHAPE', `a product reads matrices, not rank ${tensor.shape.length}`);
  }
  return [rows, columns];
}

const TILE = 32;

/** Write the transpose of a row-major [rows, columns] matrix into `out`, in tiles that stay in the cache. */
export function transposeInto(source: Float32Array, rows: number, columns: number, out: Float32Array): void {
  if (rows === 1 || columns === 1) {
    out.set(source.subarray(0, rows * columns));
    return;
  }
  for (let r0 = 0; r0 < rows; r0 += TILE) {
    const r1 = Math.min(rows, r0 + TILE);
    for (let c0 = 0; c0 < columns; c0 += TILE) {
      const c1 = Math.min(columns, c0 + TILE);
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) out[c * rows + r] = source[r * columns + c]!;
      }
    }
  }
}
