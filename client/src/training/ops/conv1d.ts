import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import {
  positionsOf,
  slide,
  slideInputGradient,
  slideKernelGradient,
  type Sliding,
} from '../kernels/sliding.js';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * One-dimensional convolution without padding.
 *
 * @param x [batch, steps, channels]
 * @param kernel [kernel, channels, filters]
 * @param bias [filters]
 * @returns output [batch, ⌊(steps − kernel)/stride⌋ + 1, filters] and its way back
 */
export function conv1d(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  options: { stride: number; activation: Activation },
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [taps = 1, , filters = 1] = kernel.shape;
  const { stride, activation } = options;
  const sliding: Sliding = { batch, steps, channels, taps, stride, filters };
  const output = backend.allocate([batch, positionsOf(sliding), filters]);
  const y = backend.view(output);
  slide(backend, { x: backend.view(x), kernel: backend.view(kernel), y }, sliding);
  addBiasAndActivate(y, backend.view(bias), activation, backend.kernels);
  return {
    output,
    backward(gradient, wantsInput) {
      const dz = backend.allocate(output.shape);
      const dBias = backend.allocate([filters]);
      const dKernel = backend.allocate(kernel.shape);
      const dInput = wantsInput ? backend.allocate(x.shape) : undefined;
      // nothing is allocated from here on: the views stay valid
      const dy = backend.view(dz);
      throughActivation(backend.view(output), backend.view(gradient), activation, dy, backend.kernels);
      columnSums(dy, backend.view(dBias), backend.kernels);
      slideKernelGradient(backend, { x: backend.view(x), dy, dKernel: backend.view(dKernel) }, sliding);
      const weights = [dKernel, dBias];
      if (dInput === undefined) return { weights };
      slideInputGradient(backend, { dy, kernel: backend.view(kernel), dx: backend.view(dInput) }, sliding);
      return { input: dInput, weights };
    },
  };
}
