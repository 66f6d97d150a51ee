import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import type { LayerPass } from '../op.js';
import { activated, throughActivated } from './activation.js';
import { type FilterGradient, publishedFilterGradient } from './filter-gradient.js';

/** How the windows of a convolution lie; gaps between taps are not for these operations. */
export interface Convolution {
  readonly stride: number;
  readonly padding: 'valid' | 'same';
  readonly activation: Activation;
}

/**
 * `conv2d` in operations of TensorFlow.js; shapes as there.
 *
 * @param x [batch, rows, columns, channels]
 */
export function conv2dOperation(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  { stride, padding: pad, activation }: Convolution,
  gradientOf = publishedFilterGradient,
): LayerPass {
  const strides: [number, number] = [stride, stride];
  const attributes = { strides, pad, dataFormat: 'NHWC', dilations: 1 };
  const y = activated(tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, strides, pad), bias, activation);
  return {
    output: y,
    backward(gradient, wantsInput) {
      const dy = throughActivated(y, gradient, activation);
      const dKernel = gradientOf(x, dy, { strides, pad, filterShape: kernel.shape });
      const weights = [dKernel, tf.sum(dy, [0, 1, 2])];
      if (!wantsInput) return { weights };
      const input = run(
        'Conv2DBackpropInput',
        { dy, filter: kernel },
        { ...attributes, inputShape: x.shape },
      );
      return { weights, input };
    },
  };
}

/** `conv1d` as a picture of one row. @param x [batch, steps, channels] */
export function conv1dOperation(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: Convolution,
  gradientOf?: FilterGradient,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [taps = 1, , filters = 1] = kernel.shape;
  const picture = tf.reshape(x, [batch, 1, steps, channels]);
  const flat = tf.reshape(kernel, [1, taps, channels, filters]);
  const pass = conv2dOperation(picture, [flat, bias], options, gradientOf);
  const { shape } = pass.output;
  return {
    output: tf.reshape(pass.output, [batch, shape[2] ?? 1, filters]),
    backward(gradient, wantsInput) {
      const { input, weights } = pass.backward(tf.reshape(gradient, shape), wantsInput);
      const [dKernel, dBias] = weights as [tf.Tensor, tf.Tensor];
      return {
        weights: [tf.reshape(dKernel, kernel.shape), dBias],
        ...(input ? { input: tf.reshape(input, x.shape) } : {}),
      };
    },
  };
}

/** `maxPool2d` in operations of TensorFlow.js. @param x [batch, rows, columns, channels] */
export function maxPool2dOperation(x: tf.Tensor, window: [rows: number, columns: number]): LayerPass {
  const attributes = { filterSize: window, strides: window, pad: 'valid' };
  const output = tf.maxPool(x as tf.Tensor4D, window, window, 'valid');
  return {
    output,
    backward: (dy) => ({ input: run('MaxPoolGrad', { dy, input: x, output }, attributes), weights: [] }),
  };
}

/** `maxPool1d` as a picture of one row. @param x [batch, steps, channels] */
export function maxPool1dOperation(x: tf.Tensor, size: number): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const pass = maxPool2dOperation(tf.reshape(x, [batch, 1, steps, channels]), [1, size]);
  const { shape } = pass.output;
  return {
    output: tf.reshape(pass.output, [batch, shape[2] ?? 1, channels]),
    backward(gradient) {
      const { input } = pass.backward(tf.reshape(gradient, shape), true);
      return { input: tf.reshape(input!, x.shape), weights: [] };
    },
  };
}

function run(kernel: string, inputs: tf.NamedTensorMap, attributes: object): tf.Tensor {
  return tf.engine().runKernel(kernel, inputs, attributes as tf.NamedAttrMap);
}
