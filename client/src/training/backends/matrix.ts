import type { Tensor } from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';

/** A row-major matrix inside an array, from its first element on. */
export interface Matrix {
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** elements from one row to the next; `columns` or more */
  readonly stride: number;
}

/** Which operand of a product is stored transposed. */
export interface Transposed {
  readonly a?: boolean;
  readonly b?: boolean;
}

/** How a product is read and written. */
export interface ProductOptions extends Transposed {
  /** add to what c holds */
  readonly add?: boolean;
}

/** Sizes of a product a·b: [m, k]·[k, n]. */
export interface ProductSizes {
  readonly m: number;
  readonly k: number;
  readonly n: number;
}

/** An array that holds nothing but a matrix. */
export function matrixOf(values: Float32Array, rows: number, columns: number): Matrix {
  return { values, rows, columns, stride: columns };
}

/** Some columns of a matrix with rows of `stride` numbers. */
export function columnsOf(
  values: Float32Array,
  rows: number,
  { from, columns, stride }: { from: number; columns: number; stride: number },
): Matrix {
  return { values: values.subarray(from), rows, columns, stride };
}

/** Sizes of a matrix tensor. @throws E_MODEL_SHAPE if it has another rank */
export function matrixSizes(tensor: Tensor): readonly [rows: number, columns: number] {
  const [rows, columns] = tensor.shape;
  if (rows === undefined || columns === undefined || tensor.shape.length !== 2) {
    throw new RegulonError('E_MODEL_SHAPE', `a product reads matrices, not rank ${tensor.shape.length}`);
  }
  return [rows, columns];
}

/**
 * Sizes of a product a·b.
 *
 * @param a [rows, columns] as stored
 * @throws E_MODEL_SHAPE if the inner sizes differ
 */
export function productSizes(
  a: readonly [number, number],
  b: readonly [number, number],
  transposed: Transposed,
): ProductSizes {
  const [m, k] = transposed.a ? [a[1], a[0]] : a;
  const [inner, n] = transposed.b ? [b[1], b[0]] : b;
  if (k !== inner) throw new RegulonError('E_MODEL_SHAPE', `a product of inner sizes ${k} and ${inner}`);
  return { m, k, n };
}

/**
 * The one check before native code gets pointers, where a wrong size would corrupt memory instead of throwing.
 *
 * @returns the product's sizes
 * @throws E_MODEL_SHAPE if sizes do not fit each other, a matrix leaves its array, or c lies over a or b
 */
export function checkProduct(a: Matrix, b: Matrix, c: Matrix, options: ProductOptions): ProductSizes {
  const sizes = productSizes([a.rows, a.columns], [b.rows, b.columns], options);
  if (c.rows !== sizes.m || c.columns !== sizes.n || ![a, b, c].every(isInside)) {
    const { m, k, n } = sizes;
    throw new RegulonError('E_MODEL_SHAPE', `a product [${m}, ${k}]·[${k}, ${n}] of arrays of other sizes`);
  }
  if (overlap(a, c) || overlap(b, c)) {
    throw new RegulonError('E_MODEL_SHAPE', 'a product that would be written over what it reads');
  }
  return sizes;
}

function isInside({ values, rows, columns, stride }: Matrix): boolean {
  const sound = [rows, columns, stride].every((size) => Number.isInteger(size) && size > 0 && size < 2 ** 31);
  return sound && stride >= columns && spanOf(rows, columns, stride) <= values.length;
}

const spanOf = (rows: number, columns: number, stride: number): number => (rows - 1) * stride + columns;

function overlap(read: Matrix, written: Matrix): boolean {
  if (read.values.buffer !== written.values.buffer) return false;
  const end = ({ values, rows, columns, stride }: Matrix) =>
    values.byteOffset + 4 * spanOf(rows, columns, stride);
  return read.values.byteOffset < end(written) && written.values.byteOffset < end(read);
}

/** c (+)= a·b in plain loops, sums in float64: the reference, and the way of machines without SIMD. */
export function plainProduct(
  a: Matrix,
  b: Matrix,
  c: Matrix,
  options: ProductOptions,
  { m, k, n }: ProductSizes,
): void {
  const [ai, ak] = options.a ? [1, a.stride] : [a.stride, 1];
  const [bj, bk] = options.b ? [b.stride, 1] : [1, b.stride];
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let sum = options.add ? c.values[i * c.stride + j]! : 0;
      for (let p = 0; p < k; p++) sum += a.values[i * ai + p * ak]! * b.values[j * bj + p * bk]!;
      c.values[i * c.stride + j] = sum;
    }
  }
}
