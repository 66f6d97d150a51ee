import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';
import { fold, unfold, type Windows, windowSize } from './windows.js';

interface Options {
  readonly stride: number;
  readonly padding: 'valid' | 'same';
  readonly activation: Activation;
}

/** Output positions along one side, and zeros before it. */
function side(size: number, reach: number, { stride, padding }: Options): { out: number; before: number } {
  return padding === 'same'
    ? { out: size, before: Math.floor((reach - 1) / 2) }
    : { out: Math.floor((size - reach) / stride) + 1, before: 0 };
}

/**
 * Convolution over the steps of a sequence, with gaps between taps or zeros beyond the ends; `conv1d` without either.
 *
 * @param x [batch, steps, channels]
 * @param weights kernel [taps, channels, filters] and bias [filters]
 * @returns output [batch, steps out, filters] and its way back
 */
export function dilatedConv1d(
  x: tf.Tensor,
  weights: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: Options & { dilation: number },
  context: PassContext,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [taps = 1] = weights[0].shape;
  const { stride, dilation } = options;
  const { out, before } = side(steps, (taps - 1) * dilation + 1, options);
  const windows: Windows = {
    ...{ batch, rows: 1, columns: steps, channels, high: 1, wide: taps, stride, dilation },
    ...{ top: 0, left: before, outRows: 1, outColumns: out },
  };
  return convolve(x, weights, windows, options.activation, [batch, out], context);
}

/**
 * Convolution over a picture.
 *
 * @param x [batch, rows, columns, channels]
 * @param weights kernel [high, wide, channels, filters] and bias [filters]
 * @returns output [batch, rows out, columns out, filters] and its way back
 */
export function conv2d(
  x: tf.Tensor,
  weights: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  options: Options,
  context: PassContext,
): LayerPass {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const [high = 1, wide = 1] = weights[0].shape;
  const down = side(rows, high, options);
  const across = side(columns, wide, options);
  const windows: Windows = {
    ...{ batch, rows, columns, channels, high, wide, stride: options.stride, dilation: 1 },
    ...{ top: down.before, left: across.before, outRows: down.out, outColumns: across.out },
  };
  return convolve(x, weights, windows, options.activation, [batch, down.out, across.out], context);
}

function convolve(
  x: tf.Tensor,
  [kernel, bias]: readonly [tf.Tensor, tf.Tensor],
  windows: Windows,
  activation: Activation,
  leading: readonly number[],
  { backend }: PassContext,
): LayerPass {
  const filters = bias.size;
  const width = windowSize(windows);
  const rows = leading.reduce((a, b) => a * b, 1);
  const unfolded = backend.allocate([rows, width]);
  unfold(backend.view(x), windows, backend.view(unfolded));
  const flatKernel = tf.reshape(kernel, [width, filters]);
  const y = backend.gemm(unfolded, flatKernel);
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  return {
    output: tf.reshape(y, [...leading, filters]),
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, filters]);
      const dBias = backend.allocate([filters]);
      const [out, dy] = [backend.view(y), backend.view(gradient)];
      throughActivation(out, dy, activation, backend.view(dz), backend.kernels);
      columnSums(backend.view(dz), backend.view(dBias), backend.kernels);
      const dKernel = tf.reshape(backend.gemm(unfolded, dz, { a: true }), kernel.shape);
      if (!wantsInput) return { weights: [dKernel, dBias] };
      const dWindows = backend.gemm(dz, flatKernel, { b: true });
      const dInput = backend.allocate(x.shape);
      fold(backend.view(dWindows), windows, backend.view(dInput));
      return { input: dInput, weights: [dKernel, dBias] };
    },
  };
}
