import { z } from 'zod';
import { type Inferred, type Place, sequence, type Shape } from '../shape.js';
import { activation, fileDigest, kernelInit, size } from './schema.js';

/** Names the graph of the step `co-expression`. */
export const CO_EXPRESSION = 'co-expression';

/**
 * Chebyshev convolution on a graph of genes: Σₖ Tₖ(L̃)·x·Wₖ with k < order and L̃ = −D^(−½)·A·D^(−½).
 *
 * @see Defferrard et al. 2016; λmax = 2 as in Kipf & Welling 2017
 */
export const chebyshevSchema = z.strictObject({
  type: z.literal('chebyshev'),
  filters: size(4096),
  /** number of polynomials T₀ … */
  order: size(16),
  /** file of edges (see docs/models.md), or the graph that a step of the preparation makes of the training units */
  graph: z.union([fileDigest, z.literal(CO_EXPRESSION)]),
  activation,
  init: kernelInit,
});

export function inferChebyshev(
  { filters, order, init }: z.output<typeof chebyshevSchema>,
  given: Shape,
  place: Place,
): Inferred {
  const [genes, channels] = sequence(place, given);
  return {
    inputShape: [genes, channels],
    outputShape: [genes, filters],
    weights: [
      { role: 'kernel', shape: [order, channels, filters], init },
      { role: 'bias', shape: [filters], init: 'zeros' },
    ],
    mask: 'refuses',
    scratch: 2 * genes * channels * order,
  };
}
