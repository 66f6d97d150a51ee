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
  const winners = new Int32Array(output.size);
  const input = backend.view(x);
  const out = backend.view(output);
  for (let b = 0; b < batch; b++) {
    for (let p = 0; p < pooled; p++) {
      for (let c = 0; c < channels; c++) {
        let at = (b * steps + p * size) * channels + c;
        let best = at;
        for (let i = 1; i < size; i++) {
          at += channels;
          if (input[at]! > input[best]!) best = at;
        }
        const to = (b * pooled + p) * channels + c;
        winners[to] = best;
        out[to] = input[best]!;
      }
    }
  }
  return {
    output,
    backward(gradient, wantsInput) {
      if (!wantsInput) return { weights: [] };
      const dInput = backend.allocate(x.shape);
      const target = backend.view(dInput).fill(0);
      const source = backend.view(gradient);
      for (let i = 0; i < winners.length; i++) target[winners[i]!] = source[i]!;
      return { input: dInput, weights: [] };
    },
  };
}
