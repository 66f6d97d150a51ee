import { reshape, type Tensor } from '@tensorflow/tfjs-core';
import type { LayerPass } from './op.js';

/** A pool over windows of a picture by the same pool over steps, twice. */
export function pool2d(x: Tensor, pool: (sequence: Tensor) => LayerPass): LayerPass {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const across = pool(reshape(x, [batch * rows, columns, channels]));
  const wide = across.output.shape[1] ?? 1;
  const down = pool(reshape(across.output, [batch, rows, wide * channels]));
  const high = down.output.shape[1] ?? 1;
  return {
    output: reshape(down.output, [batch, high, wide, channels]),
    backward(gradient, wantsInput) {
      const { input } = down.backward(reshape(gradient, down.output.shape), wantsInput);
      const back = input && across.backward(reshape(input, across.output.shape), wantsInput).input;
      return { weights: [], ...(back ? { input: reshape(back, x.shape) } : {}) };
    },
  };
}
