import type * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import {
  positionsOf,
  slide,
  slideInputGradient,
  slideKernelGradient,
  type Sliding,
} from '../kernels/sliding.js';
import type { LayerPass, PassContext } from './op.js';
import { slidingPass } from './sliding-pass.js';

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
  context: PassContext,
): LayerPass {
  const [, steps = 1, channels = 1] = x.shape;
  const [taps = 1, , filters = 1] = kernel.shape;
  const { stride, activation } = options;
  const { backend } = context;
  const of = (batch: number): Sliding => ({ batch, steps, channels, taps, stride, filters });
  return slidingPass(
    {
      forward: (views, batch) => slide(backend, views, of(batch)),
      kernelGradient: (views, batch) => slideKernelGradient(backend, views, of(batch)),
      inputGradient: (views, batch) => slideInputGradient(backend, views, of(batch)),
    },
    { x, kernel, bias },
    { outSteps: positionsOf(of(1)), activation },
    context,
  );
}
