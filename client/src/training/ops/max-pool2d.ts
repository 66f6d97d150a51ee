import type { Tensor } from '@tensorflow/tfjs-core';
import { filled, type LayerPass, type PassContext } from './op.js';

/**
 * Largest of each window of size × size, stride `size`; rows and columns that fill no window are dropped.
 *
 * @param x [batch, rows, columns, channels]
 * @returns output [batch, ⌊rows/size⌋, ⌊columns/size⌋, channels]; the first maximum of a window gets the gradient
 */
export function maxPool2d(x: Tensor, size: number, { backend }: PassContext): LayerPass {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const [high, wide] = [Math.floor(rows / size), Math.floor(columns / size)];
  const winners = new Int32Array(batch * high * wide * channels);
  const output = filled([batch, high, wide, channels], backend, (values) => {
    const source = backend.view(x);
    for (let i = 0; i < values.length; i++) {
      const [row, column] = [Math.floor(i / (wide * channels)), Math.floor(i / channels) % wide];
      const top = (Math.floor(row / high) * rows + (row % high) * size) * columns + column * size;
      const at = winnerOf(source, top * channels + (i % channels), size, columns * channels, channels);
      winners[i] = at;
      values[i] = source[at]!;
    }
  });
  return {
    output,
    backward: (gradient) => ({
      input: filled(x.shape, backend, (values) => {
        const source = backend.view(gradient);
        values.fill(0);
        // windows do not overlap: each place is written once
        for (let i = 0; i < winners.length; i++) values[winners[i]!] = source[i]!;
      }),
      weights: [],
    }),
  };
}

/** Position of the largest value of one window; NaN wins, so that a diverged model is seen. */
function winnerOf(values: Float32Array, from: number, size: number, row: number, column: number): number {
  let best = from;
  for (let r = 0; r < size; r++) {
    for (let c = 0; c < size; c++) {
      const at = from + r * row + c * column;
      if (!(values[at]! <= values[best]!)) best = at;
    }
  }
  return best;
}
