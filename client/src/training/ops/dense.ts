import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import { type LayerPass, type PassContext, rowsOf } from './op.js';

/**
 * y = activation(x·W + b) over the last dimension of x.
 *
 * @param x [batch, …, in]
 * @param kernel [in, out]
 * @param bias [out]
 * @returns output [batch, …, out] and its way back
 */
export function dense(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
  { backend }: PassContext,
): LayerPass {
  const { rows, columns } = rowsOf(x.shape);
  const width = bias.size;
  const input = tf.reshape(x, [rows, columns]);
  const y = backend.gemm(input, kernel);
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  const outputShape = [...x.shape.slice(0, -1), width];
  return {
    output: tf.reshape(y, outputShape),
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, width]);
      const dBias = backend.allocate([width]);
      throughActivation(
        backend.view(y),
        backend.view(gradient),
        activation,
        backend.view(dz),
        backend.kernels,
      );
      columnSums(backend.view(dz), backend.view(dBias), backend.kernels);
      const weights = [backend.gemm(input, dz, { a: true }), dBias];
      if (!wantsInput) return { weights };
      return { weights, input: tf.reshape(backend.gemm(dz, kernel, { b: true }), x.shape) };
    },
  };
}
