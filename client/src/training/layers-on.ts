import type * as tf from '@tensorflow/tfjs-core';
import type { LayerDeclaration, ResolvedLayer } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { forwardLayer, type LayerInput } from './forward-layer.js';
import { bidirectional, type Direction } from './ops/bidirectional.js';
import type { LayerPass, PassContext } from './ops/op.js';
import {
  conv1dOperation,
  conv2dOperation,
  maxPool1dOperation,
  maxPool2dOperation,
} from './ops/tensors/convolution.js';
import { denseOperation } from './ops/tensors/dense.js';
import { recurrentOperation } from './ops/tensors/recurrent.js';

/** How layers are carried out on a backend: in loops on its heap, or in operations of TensorFlow.js. */
export function layersOn(backend: TrainingBackend): typeof forwardLayer {
  return backend.hasOperations ? layerOfOperations : forwardLayer;
}

/**
 * The layers whose loops would be slow beside operations; all others are right by their views, and few are large.
 *
 * Differs from `forwardLayer` in rounding only; where several values of a window are largest, in which of them has the
 * gradient.
 */
function layerOfOperations(layer: ResolvedLayer, input: LayerInput, context: PassContext): LayerPass {
  const { declaration } = layer;
  // of one type by its own key
  const operation = operations[declaration.type] as Operation<LayerDeclaration['type']> | undefined;
  return operation?.(declaration, input, context) ?? forwardLayer(layer, input, context);
}

type Declared<T extends LayerDeclaration['type']> = Extract<LayerDeclaration, { type: T }>;

/** undefined for what it cannot do: gaps between taps, windows over padded steps */
type Operation<T extends LayerDeclaration['type']> = (
  declaration: Declared<T>,
  input: LayerInput,
  context: PassContext,
) => LayerPass | undefined;

const pair = ({ weights }: LayerInput): readonly [tf.Tensor, tf.Tensor] => [weights[0]!, weights[1]!];

const operations: { readonly [T in LayerDeclaration['type']]?: Operation<T> } = {
  dense: ({ activation }, input) => denseOperation(input.x, pair(input), activation, false),
  'dense-tied': ({ activation }, input) => denseOperation(input.x, pair(input), activation, true),
  conv1d: (layer, input, { backend }) =>
    input.mask || layer.dilation > 1
      ? undefined
      : conv1dOperation(input.x, pair(input), layer, backend.filterGradient),
  conv2d: (layer, input, { backend }) => conv2dOperation(input.x, pair(input), layer, backend.filterGradient),
  'max-pool1d': ({ size }, { x, mask }) => (mask ? undefined : maxPool1dOperation(x, size)),
  'max-pool2d': ({ size }, { x }) => maxPool2dOperation(x, [size, size]),
  gru: sequence,
  lstm: sequence,
  'simple-rnn': sequence,
};

function sequence(
  { type, returnSequences, bidirectional: isBidirectional }: Declared<'gru' | 'lstm' | 'simple-rnn'>,
  { x, weights, mask }: LayerInput,
  context: PassContext,
): LayerPass {
  const direction: Direction = (one, own, present) =>
    recurrentOperation(type, one, own, returnSequences, context.backend, present);
  return isBidirectional ? bidirectional(direction, x, weights, context, mask) : direction(x, weights, mask);
}
