import type { Tensor } from '@tensorflow/tfjs-core';
import { drop, type DropRule, wordsOf } from '../kernels/drop.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * Inverted dropout with a mask from the step's own generator; identity outside training.
 *
 * Own layer: the published one repeats one mask when seeded and cannot be repeated when not.
 *
 * @param layer name of the layer, so that two dropouts of a step have different masks
 */
export function dropout(x: Tensor, rate: number, layer: string, context: PassContext): LayerPass {
  return dropped(x, { rate, scale: 1 / (1 - rate) }, layer, context);
}

/** Elements set to zero at random, the rest times a scale; identity outside training. */
export function dropped(x: Tensor, rule: DropRule, layer: string, context: PassContext): LayerPass {
  if (!context.training || rule.rate === 0) {
    return { output: x, backward: (gradient) => ({ input: gradient, weights: [] }) };
  }
  const { backend } = context;
  const words = backend.allocate([x.size]);
  context.randomOf(layer).words(wordsOf(backend.view(words)));
  const masked = (tensor: Tensor): Tensor => {
    const out = backend.allocate(tensor.shape);
    const [from, to] = [backend.view(tensor), backend.view(out)];
    drop({ words: backend.view(words), x: from, out: to }, rule, backend.kernels);
    return out;
  };
  return { output: masked(x), backward: (gradient) => ({ input: masked(gradient), weights: [] }) };
}
