import { z } from 'zod';
import { type Inferred, type LayerWeight, mismatch, type Place, type Shape } from '../shape.js';
import { epsilon, size } from './schema.js';

/** Each unit normalised over groups of channels (of features, if it is a vector). @see Wu & He 2018 */
export const groupNormSchema = z.strictObject({ type: z.literal('group-norm'), groups: size(4096), epsilon });

/** Each step of each unit normalised over its channels. @see Ba et al. 2016 */
export const layerNormSchema = z.strictObject({ type: z.literal('layer-norm'), epsilon });

/**
 * Each channel normalised over the batch; only in a block with `aggregate: local`, so that the statistics of a site
 * never leave it. @see Ioffe & Szegedy 2015; Li et al. 2021 (FedBN)
 */
export const batchNormSchema = z.strictObject({
  type: z.literal('batch-norm'),
  /** share of a new batch in the running statistics */
  momentum: z.number().min(0.001).max(1).default(0.1),
  epsilon,
});

const scaleAndShift = (channels: number): LayerWeight[] => [
  { role: 'scale', shape: [channels], init: 'ones' },
  { role: 'shift', shape: [channels], init: 'zeros' },
];

export function inferGroupNorm({ groups }: { groups: number }, shape: Shape, place: Place): Inferred {
  const channels = shape.at(-1) ?? 1;
  if (channels % groups !== 0) mismatch(place, shape, [...shape.slice(0, -1), `a multiple of ${groups}`]);
  return { inputShape: shape, outputShape: shape, weights: scaleAndShift(channels), mask: 'refuses' };
}

export function inferLayerNorm(shape: Shape): Inferred {
  return { inputShape: shape, outputShape: shape, weights: scaleAndShift(shape.at(-1) ?? 1), mask: 'keeps' };
}

export function inferBatchNorm(shape: Shape): Inferred {
  const channels = shape.at(-1) ?? 1;
  const weights: LayerWeight[] = [
    ...scaleAndShift(channels),
    { role: 'running-mean', shape: [channels], init: 'zeros', trainable: false },
    { role: 'running-variance', shape: [channels], init: 'ones', trainable: false },
  ];
  return { inputShape: shape, outputShape: shape, weights, mask: 'refuses' };
}
