import { z } from 'zod';
import { type Inferred, type LayerWeight, mismatch, type Place, type Shape, sizeOf } from '../shape.js';
import { size } from './schema.js';

/**
 * Weighted mean of the steps, weights = softmax over steps of v·tanh(W·h + b); padded steps weigh exactly 0.
 * @see Bahdanau et al. 2015
 */
export const temporalAttentionSchema = z.strictObject({
  type: z.literal('temporal-attention'),
  units: size(4096),
});

/** Gates on the last dimension: x ⊙ σ(x·W + b). */
export const featureAttentionSchema = z.strictObject({ type: z.literal('feature-attention') });

/** Adds a learned vector to each step. */
export const positionEmbeddingSchema = z.strictObject({ type: z.literal('position-embedding') });

/**
 * One encoder block, normalised before each part: x + attention(norm(x)), then x + feed-forward(norm(x)).
 * @see Vaswani et al. 2017; Xiong et al. 2020 (pre-norm)
 */
export const transformerSchema = z.strictObject({
  type: z.literal('transformer'),
  heads: size(64),
  /** width of the hidden layer between the two dense ones */
  feedForward: size(16_384),
});

/** Rows of a table by whole numbers 0 … vocabulary − 1; a negative number is padding: a zero row. */
export const embeddingSchema = z.strictObject({
  type: z.literal('embedding'),
  vocabulary: size(1_000_000),
  units: size(4096),
});

function steps(place: Place, shape: Shape): [steps: number, channels: number] {
  const [n, channels] = shape;
  if (n === undefined || channels === undefined || shape.length !== 2) {
    mismatch(place, shape, ['steps', 'channels']);
  }
  return [n, channels];
}

const dense = (role: string, width: number, out: number): LayerWeight[] => [
  { role: `${role}/kernel`, shape: [width, out], init: 'glorot-uniform' },
  { role: `${role}/bias`, shape: [out], init: 'zeros' },
];
const norm = (role: string, channels: number): LayerWeight[] => [
  { role: `${role}/scale`, shape: [channels], init: 'ones' },
  { role: `${role}/shift`, shape: [channels], init: 'zeros' },
];

export function inferTemporalAttention({ units }: { units: number }, shape: Shape, place: Place): Inferred {
  const [n, channels] = steps(place, shape);
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [channels, units], init: 'glorot-uniform' },
    { role: 'bias', shape: [units], init: 'zeros' },
    { role: 'score', shape: [units, 1], init: 'glorot-uniform' },
  ];
  return {
    inputShape: shape,
    outputShape: [channels],
    weights,
    mask: 'ends',
    scratch: n * (units + channels + 2),
  };
}

export function inferFeatureAttention(shape: Shape): Inferred {
  const channels = shape.at(-1) ?? 1;
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [channels, channels], init: 'glorot-uniform' },
    { role: 'bias', shape: [channels], init: 'zeros' },
  ];
  return { inputShape: shape, outputShape: shape, weights, mask: 'keeps', scratch: 2 * sizeOf(shape) };
}

export function inferPositionEmbedding(shape: Shape, place: Place): Inferred {
  steps(place, shape);
  const weights: LayerWeight[] = [{ role: 'table', shape, init: 'glorot-uniform' }];
  return { inputShape: shape, outputShape: shape, weights, mask: 'keeps' };
}

export function inferTransformer(
  { heads, feedForward }: z.output<typeof transformerSchema>,
  shape: Shape,
  place: Place,
): Inferred {
  const [n, channels] = steps(place, shape);
  if (channels % heads !== 0) mismatch(place, shape, [n, `a multiple of ${heads}`]);
  const weights: LayerWeight[] = [
    ...norm('attention-norm', channels),
    ...['query', 'key', 'value', 'output'].flatMap((role) => dense(role, channels, channels)),
    ...norm('feed-forward-norm', channels),
    ...dense('expand', channels, feedForward),
    ...dense('contract', feedForward, channels),
  ];
  const scratch = n * (9 * channels + 2 * feedForward) + 3 * heads * n * n;
  return { inputShape: shape, outputShape: shape, weights, mask: 'keeps', scratch };
}

export function inferEmbedding(
  { vocabulary, units }: z.output<typeof embeddingSchema>,
  shape: Shape,
  place: Place,
): Inferred {
  if (shape.length !== 1) mismatch(place, shape, ['steps']);
  const weights: LayerWeight[] = [{ role: 'table', shape: [vocabulary, units], init: 'glorot-uniform' }];
  return { inputShape: shape, outputShape: [...shape, units], weights, mask: 'keeps' };
}
