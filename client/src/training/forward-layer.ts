import * as tf from '@tensorflow/tfjs-core';
import type { LayerDeclaration, ResolvedLayer } from '@regulon/shared/models';
import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import { bySlices } from './dp-sgd/by-slices.js';
import type { LayerConstant } from './layer-constants.js';
import { activate } from './ops/activate.js';
import { embedding, featureAttention, positionEmbedding, temporalAttention } from './ops/attention.js';
import { bidirectional } from './ops/bidirectional.js';
import { chebyshev } from './ops/chebyshev.js';
import { conv1d } from './ops/conv1d.js';
import { conv2d, dilatedConv1d } from './ops/convolution.js';
import { dense, tiedDense } from './ops/dense.js';
import { depthwiseConv1d } from './ops/depthwise.js';
import { dropout } from './ops/dropout.js';
import { gaussianCode } from './ops/gaussian-code.js';
import { gruCell } from './ops/gru-cell.js';
import { gruV3Cell } from './ops/gru-v3-cell.js';
import { lstmCell } from './ops/lstm-cell.js';
import { maxPool1d } from './ops/max-pool1d.js';
import { maxPool2d } from './ops/max-pool2d.js';
import { gaussianNoise, maskingNoise } from './ops/noise.js';
import { batchNorm, groupNorm, layerNorm } from './ops/normalise.js';
import type { LayerPass, PassContext, StepMask } from './ops/op.js';
import { placed } from './ops/placed.js';
import {
  averagePool1d,
  averagePool2d,
  globalAveragePool,
  globalMaxPool,
  pooledMask,
  upsample1d,
} from './ops/pooling.js';
import { recurrent } from './ops/recurrent.js';
import { simpleRnnCell } from './ops/simple-rnn-cell.js';
import { maskOfWindows, withoutPadding } from './ops/step-mask.js';
import { conv1dStrands } from './ops/strands.js';
import { transformer } from './ops/transformer.js';

/** What a layer works on in one pass. */
export interface LayerInput {
  /** [batch, …input shape] */
  readonly x: tf.Tensor;
  /** in manifest order; the kernel that a tied layer borrows comes first */
  readonly weights: readonly tf.Tensor[];
  readonly mask: StepMask | undefined;
  /** graph or layout that was read from a file */
  readonly constant: LayerConstant | undefined;
}

/** One layer of the catalogue, forward, with its way back. */
export function forwardLayer(layer: ResolvedLayer, input: LayerInput, context: PassContext): LayerPass {
  const { declaration, name, outputShape } = layer;
  const { x, weights, mask, constant } = input;
  const [first, second] = weights as [tf.Tensor, tf.Tensor];
  switch (declaration.type) {
    case 'dense':
      return dense(x, first, second, declaration.activation, context);
    case 'dense-tied':
      return tiedDense(x, first, second, declaration.activation, context);
    case 'gaussian-code':
      return gaussianCode(x, weights, declaration, name, context);
    case 'activation':
      return activate(x, declaration.function, context);
    case 'dropout':
      return dropout(x, declaration.rate, name, context);
    case 'masking-noise':
      return maskingNoise(x, declaration.rate, name, context);
    case 'gaussian-noise':
      return gaussianNoise(x, declaration.sd, name, context);
    case 'conv1d':
    case 'depthwise-conv1d':
      return convolution(declaration, input, context);
    case 'conv1d-strands':
      return bySlices(input, (part) => convolution(declaration, part, context), context.backend);
    case 'conv2d':
      return conv2d(x, [first, second], declaration, context);
    case 'max-pool1d':
      return { ...maxPool1d(x, declaration.size, context), ...poolMask(x, declaration.size, mask) };
    case 'average-pool1d':
      return { ...averagePool1d(x, declaration.size, context), ...poolMask(x, declaration.size, mask) };
    case 'max-pool2d':
      return maxPool2d(x, declaration.size, context);
    case 'average-pool2d':
      return averagePool2d(x, declaration.size, context);
    case 'global-max-pool':
      return globalMaxPool(x, mask, context);
    case 'global-average-pool':
      return globalAveragePool(x, mask, context);
    case 'upsample1d':
      return upsample1d(x, declaration.size, mask, context);
    case 'flatten':
    case 'reshape':
      return reshaped(x, outputShape);
    case 'tokens':
    case 'gene-grid':
      return placed(x, outputShape, placesOf(constant, x), context);
    case 'group-norm':
      return groupNorm(x, weights, declaration, context);
    case 'layer-norm':
      return layerNorm(x, weights, declaration.epsilon, context);
    case 'batch-norm':
      return batchNorm(x, weights, declaration, context);
    case 'gru':
    case 'gru-v3':
    case 'lstm':
    case 'simple-rnn':
      return sequence(declaration, input, context);
    case 'temporal-attention':
      return bySlices(
        input,
        (part) => temporalAttention(part.x, weights, context, part.mask),
        context.backend,
      );
    case 'feature-attention':
      return bySlices(input, (part) => featureAttention(part.x, weights, context), context.backend);
    case 'position-embedding':
      return bySlices(input, (part) => positionEmbedding(part.x, first), context.backend);
    case 'transformer':
      return bySlices(
        input,
        (part) => transformer(part.x, weights, declaration.heads, context, part.mask),
        context.backend,
      );
    case 'embedding':
      return bySlices(input, (part) => embedding(part.x, first, context), context.backend);
    case 'chebyshev':
      return bySlices(
        input,
        (part) => chebyshev(part.x, [first, second], graphOf(constant), declaration.activation, context),
        context.backend,
      );
  }
}

type Layer<T extends LayerDeclaration['type']> = Extract<LayerDeclaration, { type: T }>;

function convolution(
  layer: Layer<'conv1d' | 'depthwise-conv1d' | 'conv1d-strands'>,
  { x, weights, mask }: LayerInput,
  context: PassContext,
): LayerPass {
  const [kernel, bias] = weights as [tf.Tensor, tf.Tensor];
  const input = mask ? withoutPadding(x, mask, context.backend) : x;
  const { activation } = layer;
  if (layer.type === 'conv1d-strands') {
    const pass = conv1dStrands(input, [kernel, bias], activation, context);
    return { ...pass, ...windowMask(x, pass, { taps: layer.kernel, stride: 1, dilation: 1 }, mask) };
  }
  const pass = slidingFilters(layer, input, [kernel, bias], context);
  if (layer.padding === 'same') return mask ? withoutPaddedGradient(pass, mask, context.backend) : pass;
  const { kernel: taps, stride, dilation } = layer;
  return { ...pass, ...windowMask(x, pass, { taps, stride, dilation }, mask) };
}

function slidingFilters(
  layer: Layer<'conv1d' | 'depthwise-conv1d'>,
  x: tf.Tensor,
  weights: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  context: PassContext,
): LayerPass {
  if (layer.type === 'depthwise-conv1d') return depthwiseConv1d(x, weights, layer, context);
  const isPlain = layer.padding === 'valid' && layer.dilation === 1;
  return isPlain ? conv1d(x, ...weights, layer, context) : dilatedConv1d(x, weights, layer, context);
}

/** Steps that the convolution read as zeros have no gradient. */
function withoutPaddedGradient(
  { taps: _, ...pass }: LayerPass,
  mask: StepMask,
  backend: TrainingBackend,
): LayerPass {
  return {
    ...pass,
    backward(gradient, wantsInput) {
      const { input, weights } = pass.backward(gradient, wantsInput);
      return { weights, ...(input ? { input: withoutPadding(input, mask, backend) } : {}) };
    },
  };
}

function windowMask(
  x: tf.Tensor,
  { output }: LayerPass,
  window: { taps: number; stride: number; dilation: number },
  mask: StepMask | undefined,
): { mask?: StepMask } {
  const [batch = 1, steps = 1] = x.shape;
  return mask
    ? { mask: maskOfWindows(mask, { batch, steps, outSteps: output.shape[1] ?? 1, ...window }) }
    : {};
}

function poolMask(x: tf.Tensor, size: number, mask: StepMask | undefined): { mask?: StepMask } {
  return mask ? { mask: pooledMask(x, size, mask) } : {};
}

function sequence(
  layer: Layer<'gru' | 'gru-v3' | 'lstm' | 'simple-rnn'>,
  { x, weights, mask }: LayerInput,
  context: PassContext,
): LayerPass {
  const { type, returnSequences } = layer;
  const cells = { gru: gruCell, 'gru-v3': gruV3Cell, lstm: lstmCell, 'simple-rnn': simpleRnnCell };
  const direction = (input: tf.Tensor, own: readonly tf.Tensor[], present?: StepMask): LayerPass => {
    const [kernel, state, bias] = own as [tf.Tensor, tf.Tensor, tf.Tensor];
    return recurrent(
      cells[type],
      input,
      { kernel, recurrent: state, bias },
      returnSequences,
      context,
      present,
    );
  };
  return layer.bidirectional
    ? bidirectional(direction, x, weights, context, mask)
    : direction(x, weights, mask);
}

function reshaped(x: tf.Tensor, shape: readonly number[]): LayerPass {
  return {
    output: tf.reshape(x, [x.shape[0] ?? 1, ...shape]),
    backward: (gradient) => ({ input: tf.reshape(gradient, x.shape), weights: [] }),
  };
}

/** Where features go: as a layout says, or one after the other. */
function placesOf(constant: LayerConstant | undefined, x: tf.Tensor): Int32Array {
  return constant instanceof Int32Array
    ? constant
    : Int32Array.from({ length: x.shape[1] ?? 1 }, (_, i) => i);
}

function graphOf(constant: LayerConstant | undefined) {
  if (!constant || constant instanceof Int32Array) {
    throw new RegulonError('E_INTERNAL', 'a graph layer without its graph');
  }
  return constant;
}
