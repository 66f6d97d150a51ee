import type { Tensor } from '@tensorflow/tfjs-core';
import type { TrainingBackend } from './backend.js';
import { matrixOf, matrixSizes, productSizes, type Transposed } from './matrix.js';

/** `TrainingBackend.gemm` by way of `multiply`: the product of two whole tensors as a new one. */
export function gemm(
  backend: Pick<TrainingBackend, 'allocate' | 'view' | 'multiply'>,
  a: Tensor,
  b: Tensor,
  transposed: Transposed = {},
): Tensor {
  const [left, right] = [matrixSizes(a), matrixSizes(b)];
  const { m, n } = productSizes(left, right, transposed);
  const c = backend.allocate([m, n]);
  const view = (tensor: Tensor, [rows, columns]: readonly [number, number]) =>
    matrixOf(backend.view(tensor), rows, columns);
  backend.multiply(view(a, left), view(b, right), view(c, [m, n]), transposed);
  return c;
}
