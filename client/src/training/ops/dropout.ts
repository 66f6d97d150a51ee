import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayerPass, PassContext } from './op.js';

/**
 * Inverted dropout with a mask from the step's own generator; identity outside training.
 *
 * Own layer: the published one repeats one mask when seeded and cannot be repeated when not.
 *
 * @param layer name of the layer, so that two dropouts of a step have different masks
 */
export function dropout(x: Tensor, rate: number, layer: string, context: PassContext): LayerPass {
  if (!context.training || rate === 0) {
    return { output: x, backward: (gradient) => ({ input: gradient, weights: [] }) };
  }
  const { backend } = context;
  const random = context.randomOf(layer);
  const scale = 1 / (1 - rate);
  const mask = Float32Array.from({ length: x.size }, () => (random.uniform() < rate ? 0 : scale));
  const masked = (tensor: Tensor): Tensor => {
    const out = backend.allocate(tensor.shape);
    const source = backend.view(tensor);
    const target = backend.view(out);
    for (let i = 0; i < mask.length; i++) target[i] = source[i]! * mask[i]!;
    return out;
  };
  return { output: masked(x), backward: (gradient) => ({ input: masked(gradient), weights: [] }) };
}
