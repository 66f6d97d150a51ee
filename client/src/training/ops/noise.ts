import type { Tensor } from '@tensorflow/tfjs-core';
import { dropped } from './dropout.js';
import { filled, type LayerPass, type PassContext } from './op.js';

/**
 * Set elements to zero with probability `rate`, the rest as it is; identity outside of training.
 *
 * @param layer name of the layer, so that two of a step draw different numbers
 * @see Vincent et al. 2010, 3.3 (masking noise)
 */
export function maskingNoise(x: Tensor, rate: number, layer: string, context: PassContext): LayerPass {
  return dropped(x, { rate, scale: 1 }, layer, context);
}

/** Add N(0, sd²) to each element; identity outside of training. */
export function gaussianNoise(x: Tensor, sd: number, layer: string, context: PassContext): LayerPass {
  if (!context.training || sd === 0) return unchanged(x);
  const normal = normals(context.randomOf(layer));
  const noise = Float32Array.from({ length: x.size }, () => sd * normal());
  const output = filled(x.shape, context.backend, (values) => {
    const source = context.backend.view(x);
    for (let i = 0; i < noise.length; i++) values[i] = source[i]! + noise[i]!;
  });
  return { ...unchanged(x), output };
}

/** Standard normal numbers, two from two uniform ones. @see Box & Muller 1958 */
export function normals(random: { uniform(): number }): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    // 1 − u is in (0, 1]: its logarithm is finite
    const radius = Math.sqrt(-2 * Math.log(1 - random.uniform()));
    const angle = 2 * Math.PI * random.uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

const unchanged = (x: Tensor): LayerPass => ({
  output: x,
  backward: (gradient) => ({ input: gradient, weights: [] }),
});
