import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import { type LayerPass, type PassContext, rowsOf } from './op.js';

/**
 * y = activation(x·Wᵀ + b): the decoder of an autoencoder with the kernel of its encoder.
 *
 * @param x [batch, …, out]
 * @param kernel [in, out], of the dense layer that it is tied to
 * @param bias [in]
 * @returns output [batch, …, in]; its gradients are those of kernel and bias
 * @see Vincent et al. 2010
 */
export function tiedDense(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
  { backend }: PassContext,
): LayerPass {
  const { rows, columns } = rowsOf(x.shape);
  const width = bias.size;
  const input = tf.reshape(x, [rows, columns]);
  const y = backend.gemm(input, kernel, { b: true });
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  return {
    output: tf.reshape(y, [...x.shape.slice(0, -1), width]),
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, width]);
      const dBias = backend.allocate([width]);
      const [out, dy] = [backend.view(y), backend.view(gradient)];
      throughActivation(out, dy, activation, backend.view(dz), backend.kernels);
      columnSums(backend.view(dz), backend.view(dBias), backend.kernels);
      const weights = [backend.gemm(dz, input, { a: true }), dBias];
      if (!wantsInput) return { weights };
      return { weights, input: tf.reshape(backend.gemm(dz, kernel), x.shape) };
    },
  };
}
