import type * as tf from '@tensorflow/tfjs-core';
import {
  type Depthwise,
  depthwise,
  depthwiseInputGradient,
  depthwiseKernelGradient,
} from '../kernels/depthwise.js';
import { alongSide, type SlidingOptions } from './convolution.js';
import type { LayerPass, PassContext } from './op.js';
import { slidingPass } from './sliding-pass.js';

/**
 * Convolution of each channel by a filter of its own; a `dense` layer behind it mixes them.
 *
 * @param x [batch, steps, channels]
 * @param weights kernel [taps, 1, channels] and bias [channels]
 * @returns output [batch, steps out, channels] and its way back
 * @see Chollet 2017 (Xception), depthwise separable convolution
 */
export function depthwiseConv1d(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: SlidingOptions & { dilation: number },
  context: PassContext,
): LayerPass {
  const [, steps = 1, channels = 1] = x.shape;
  const [taps = 1] = kernel.shape;
  const { stride, dilation, activation } = options;
  const { out: positions, before } = alongSide(steps, (taps - 1) * dilation + 1, options);
  const { kernels } = context.backend;
  const of = (batch: number): Depthwise => ({
    ...{ batch, steps, channels, taps, stride, dilation, before, positions },
  });
  return slidingPass(
    {
      forward: (views, batch) => depthwise(views, of(batch), kernels),
      kernelGradient: (views, batch) => depthwiseKernelGradient(views, of(batch), kernels),
      inputGradient: (views, batch) => depthwiseInputGradient(views, of(batch), kernels),
    },
    { x, kernel, bias },
    { outSteps: positions, activation },
    context,
  );
}
