import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { addBiasAndActivate, columnSums, throughActivation } from './activation.js';
import type { LayerPass, PassContext } from './op.js';

interface Windows {
  readonly batch: number;
  readonly steps: number;
  readonly channels: number;
  /** kernel · channels */
  readonly width: number;
  readonly outSteps: number;
  readonly stride: number;
}

/**
 * One-dimensional convolution without padding, as a product of unfolded windows.
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
  const outSteps = Math.floor((steps - taps) / stride) + 1;
  const windows: Windows = { batch, steps, channels, width: taps * channels, outSteps, stride };
  const rows = batch * outSteps;
  const unfolded = backend.allocate([rows, windows.width]);
  unfold(backend.view(x), windows, backend.view(unfolded));
  const flatKernel = tf.reshape(kernel, [windows.width, filters]);
  const y = backend.gemm(unfolded, flatKernel);
  addBiasAndActivate(backend.view(y), backend.view(bias), activation, backend.kernels);
  return {
    output: tf.reshape(y, [batch, outSteps, filters]),
    backward(gradient, wantsInput) {
      const dz = backend.allocate([rows, filters]);
      const dBias = backend.allocate([filters]);
      throughActivation(
        backend.view(y),
        backend.view(gradient),
        activation,
        backend.view(dz),
        backend.kernels,
      );
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

/** Row per output position: the window's values, contiguous in the input because channels are last. */
function unfold(x: Float32Array, w: Windows, out: Float32Array): void {
  let at = 0;
  for (let b = 0; b < w.batch; b++) {
    for (let t = 0; t < w.outSteps; t++) {
      const from = (b * w.steps + t * w.stride) * w.channels;
      for (let i = 0; i < w.width; i++) out[at++] = x[from + i]!;
    }
  }
}

/** The reverse of `unfold`: add every window back to where it was read. */
function fold(windows: Float32Array, w: Windows, out: Float32Array): void {
  out.fill(0);
  let at = 0;
  for (let b = 0; b < w.batch; b++) {
    for (let t = 0; t < w.outSteps; t++) {
      const to = (b * w.steps + t * w.stride) * w.channels;
      for (let i = 0; i < w.width; i++) out[to + i] = out[to + i]! + windows[at++]!;
    }
  }
}
