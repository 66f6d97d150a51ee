import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerPass, PassContext } from './op.js';

/**
 * Maximum over windows of `size` steps, stride `size`; steps that fill no window are dropped.
 *
 * Own kernel: the published WebAssembly gradient loses windows whose maximum is not positive.
 *
 * @param x [batch, steps, channels]
 * @returns output [batch, ⌊steps/size⌋, channels] and its way back (the first maximum of a window gets the gradient)
 */
export function maxPool1d(x: Tensor, size: number, { backend }: PassContext): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const pooled = Math.floor(steps / size);
  const output = backend.allocate([batch, pooled, channels]);
  const windows = { batch, steps, channels, size, pooled };
  takeMaxima(backend.view(x), windows, backend.view(output));
  return {
    output,
    backward(gradient, wantsInput) {
      if (!wantsInput) return { weights: [] };
      const dInput = backend.allocate(x.shape);
      const target = backend.view(dInput);
      giveBack(backend.view(x), backend.view(output), backend.view(gradient), windows, target);
      return { input: dInput, weights: [] };
    },
  };
}

interface Windows {
  readonly batch: number;
  readonly steps: number;
  readonly channels: number;
  readonly size: number;
  readonly pooled: number;
}

function takeMaxima(input: Float32Array, w: Windows, out: Float32Array): void {
  const row = w.channels;
  let to = 0;
  for (let b = 0; b < w.batch; b++) {
    for (let p = 0; p < w.pooled; p++) {
      const from = (b * w.steps + p * w.size) * row;
      for (let c = 0; c < row; c++, to++) {
        let best = input[from + c]!;
        for (let i = 1; i < w.size; i++) {
          const value = input[from + i * row + c]!;
          if (value > best) best = value;
        }
        out[to] = best;
      }
    }
  }
}

function giveBack(
  input: Float32Array,
  output: Float32Array,
  gradient: Float32Array,
  w: Windows,
  target: Float32Array,
): void {
  target.fill(0);
  const row = w.channels;
  let at = 0;
  for (let b = 0; b < w.batch; b++) {
    for (let p = 0; p < w.pooled; p++) {
      const from = (b * w.steps + p * w.size) * row;
      for (let c = 0; c < row; c++, at++) {
        const best = output[at]!;
        let i = 0;
        while (i < w.size - 1 && input[from + i * row + c]! !== best) i++;
        target[from + i * row + c] = gradient[at]!;
      }
    }
  }
}
