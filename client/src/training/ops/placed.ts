import type { Tensor } from '@tensorflow/tfjs-core';
import { filled, type LayerPass, type PassContext } from './op.js';

/**
 * A vector written into a larger shape; what nothing is written to is zero.
 *
 * @param x [batch, features]
 * @param shape of one unit's output
 * @param places position of each feature in it, all different
 */
export function placed(
  x: Tensor,
  shape: readonly number[],
  places: Int32Array,
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, features = 1] = x.shape;
  const size = shape.reduce((a, b) => a * b, 1);
  const output = filled([batch, ...shape], backend, (values) => {
    const source = backend.view(x);
    values.fill(0);
    for (let b = 0; b < batch; b++) {
      for (let f = 0; f < features; f++) values[b * size + places[f]!] = source[b * features + f]!;
    }
  });
  return {
    output,
    backward: (gradient) => ({
      input: filled(x.shape, backend, (values) => {
        const source = backend.view(gradient);
        for (let b = 0; b < batch; b++) {
          for (let f = 0; f < features; f++) values[b * features + f] = source[b * size + places[f]!]!;
        }
      }),
      weights: [],
    }),
  };
}
