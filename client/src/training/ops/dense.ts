import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { addAffineNorms } from '../dp-sgd/affine-norms.js';
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
  return affineLayer({ x, kernel, bias, isTransposed: false }, activation, backend);
}

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
  return affineLayer({ x, kernel, bias, isTransposed: true }, activation, backend);
}

interface Affine {
  readonly x: tf.Tensor;
  readonly kernel: tf.Tensor;
  readonly bias: tf.Tensor;
  /** the kernel is used as Wᵀ */
  readonly isTransposed: boolean;
}

function affineLayer(
  { x, kernel, bias, isTransposed }: Affine,
  activation: Activation,
  backend: TrainingBackend,
): LayerPass {
  const { rows, columns } = rowsOf(x.shape);
  const width = bias.size;
  const input = tf.reshape(x, [rows, columns]);
  const y = backend.gemm(input, kernel, { b: isTransposed });
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  const outputShape = [...x.shape.slice(0, -1), width];
  const beforeActivation = (gradient: tf.Tensor): tf.Tensor => {
    const dz = backend.allocate([rows, width]);
    const [out, dy] = [backend.view(y), backend.view(gradient)];
    throughActivation(out, dy, activation, backend.view(dz), backend.kernels);
    return dz;
  };
  const toInput = (dz: tf.Tensor): tf.Tensor =>
    tf.reshape(backend.gemm(dz, kernel, { b: !isTransposed }), x.shape);
  const pass: LayerPass = {
    output: tf.reshape(y, outputShape),
    backward(gradient, wantsInput) {
      const dBias = backend.allocate([width]);
      const dz = beforeActivation(gradient);
      columnSums(backend.view(dz), backend.view(dBias), backend.kernels);
      const [left, right] = isTransposed ? [dz, input] : [input, dz];
      const weights = [backend.gemm(left, right, { a: true }), dBias];
      return wantsInput ? { weights, input: toInput(dz) } : { weights };
    },
  };
  // a kernel that two layers share has one gradient, of which each layer knows a part
  if (isTransposed) return pass;
  return {
    ...pass,
    taps(gradient, wantsInput) {
      const dz = beforeActivation(gradient);
      const product = { a: input, dz, positions: rows / (x.shape[0] ?? 1), hasBias: true };
      return {
        ...(wantsInput ? { input: toInput(dz) } : {}),
        addNorms: (patients, norms) => addAffineNorms(product, patients, norms, backend),
      };
    },
  };
}
