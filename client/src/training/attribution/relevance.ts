import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { LayerDeclaration, ResolvedLayer } from '@regulon/shared/models';
import { forwardLayer } from '../forward-layer.js';
import type { LayerPass, PassContext } from '../ops/op.js';
import type { Question } from './explained.js';
import type { ExplainedNetwork } from './explained-network.js';

/** Where the relevance of an output went: the parts add up to the output. */
export interface Relevance {
  /** [inputs] */
  readonly values: Float64Array;
  /** what the biases of all layers received */
  readonly bias: number;
  /** what the stabiliser ε swallowed */
  readonly stabiliser: number;
  /** f(unit), which was shared out */
  readonly output: number;
}

/** Sums over all layers of one way back. */
interface Bins {
  bias: number;
  stabiliser: number;
}

type LayerType = LayerDeclaration['type'];
const LINEAR = [
  'dense',
  'conv1d',
  'depthwise-conv1d',
  'conv2d',
  'average-pool1d',
  'average-pool2d',
  'global-average-pool',
] as const;
/** Each output is one of the inputs: its relevance goes there. */
const MOVES: readonly LayerType[] = [
  ...(['flatten', 'reshape', 'tokens', 'gene-grid', 'max-pool1d', 'max-pool2d', 'global-max-pool'] as const),
  ...(['dropout', 'masking-noise', 'gaussian-noise'] as const),
];

/**
 * Layer-wise relevance propagation, ε-rule: each layer shares out what it receives in proportion to x·w.
 *
 * @param epsilon above 0: keeps a share finite where a sum is near 0
 * @throws E_MODEL_SHAPE naming the first layer, or merge, that has no rule
 * @see Bach et al. 2015; Montavon et al. 2019
 */
export function layerWiseRelevance(
  model: ExplainedNetwork,
  { unit, output }: Question,
  epsilon = 1e-6,
): Relevance {
  for (const { merge } of model.network.model.blocks) {
    if (merge && merge.kind !== 'concat') throw noRule(merge.name, merge.kind);
  }
  const bins: Bins = { bias: 0, stabiliser: 0 };
  const { values, rows } = model.wayBack(model.endsOf(unit, unit).to, output, {
    start: (value) => value,
    layer: (layer, input, context) => relevanceLayer(layer, input, context, { bins, epsilon }),
  });
  return { values: rows, ...bins, output: values[0]! };
}

function relevanceLayer(
  layer: ResolvedLayer,
  input: Parameters<typeof forwardLayer>[1],
  context: PassContext,
  rule: { bins: Bins; epsilon: number },
): LayerPass {
  const { declaration, name } = layer;
  const pass = forwardLayer(layer, input, context);
  if (MOVES.includes(declaration.type)) return pass;
  if (declaration.type === 'activation') {
    return { ...pass, backward: (relevance) => ({ input: relevance, weights: [] }) };
  }
  const linear = linearOf(declaration);
  if (!linear) throw noRule(name, declaration.type);
  const sums = forwardLayer({ ...layer, declaration: linear }, input, context);
  return {
    ...pass,
    backward(relevance) {
      const bias = input.weights[1];
      const shares = sharesOf(sums.output, relevance, bias, context, rule);
      const { input: back, weights } = sums.backward(shares, true);
      return { input: tf.mul(input.x, back!), weights };
    },
  };
}

/** The layer without its activation; undefined if the rule does not hold for it. */
function linearOf(declaration: LayerDeclaration): LayerDeclaration | undefined {
  if (!LINEAR.some((type) => type === declaration.type)) return undefined;
  return 'activation' in declaration ? { ...declaration, activation: 'linear' } : declaration;
}

/** R / (z + ε·sign z); what biases and ε receive goes to their bins. @param z [1, …, units] */
function sharesOf(
  z: tf.Tensor,
  relevance: tf.Tensor,
  bias: tf.Tensor | undefined,
  { backend }: PassContext,
  { bins, epsilon }: { bins: Bins; epsilon: number },
): tf.Tensor {
  const shares = backend.allocate(z.shape);
  const [sums, arrived, out] = [backend.view(z), backend.view(relevance), backend.view(shares)];
  const biases = bias && backend.view(bias);
  for (let i = 0; i < out.length; i++) {
    const stabiliser = sums[i]! < 0 ? -epsilon : epsilon;
    const share = arrived[i]! / (sums[i]! + stabiliser);
    out[i] = share;
    bins.stabiliser += share * stabiliser;
    if (biases) bins.bias += share * biases[i % biases.length]!;
  }
  return shares;
}

function noRule(name: string, what: string): RegulonError {
  const hint = 'use integrated gradients: they need no rule for a layer';
  return new RegulonError('E_MODEL_SHAPE', `relevance: ${name} (${what}) has no rule`, { hint });
}
