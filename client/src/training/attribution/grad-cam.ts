import { RegulonError } from '@regulon/shared/errors';
import type { LayerDeclaration, ResolvedLayer, ResolvedModel } from '@regulon/shared/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import { forwardLayer } from '../forward-layer.js';
import { filled, type LayerPass, type PassContext } from '../ops/op.js';
import type { Question } from './explained.js';
import type { ExplainedNetwork } from './explained-network.js';
import { type Side, sideOf, upsampled, type Window } from './positions.js';

type LayerType = LayerDeclaration['type'];
const CONVOLUTIONS: readonly LayerType[] = ['conv1d', 'depthwise-conv1d', 'conv1d-strands', 'conv2d'];
/** Numbers change places: the way back of the layer itself moves a map. */
const MOVES: readonly LayerType[] = ['flatten', 'reshape', 'tokens', 'gene-grid'];
/** Every number stays in its place. */
const KEEPS: readonly LayerType[] = [
  ...(['activation', 'dropout', 'masking-noise', 'gaussian-noise'] as const),
  ...(['group-norm', 'layer-norm', 'batch-norm', 'feature-attention', 'position-embedding'] as const),
];

/**
 * Where the last convolution found what speaks for an output: its activations weighted by their mean gradient, negative
 * sums cut off, interpolated up to the model's input.
 *
 * @returns [inputs], 0 or more; the channels of one position share a value
 * @throws E_MODEL_SHAPE without a convolution on the one way from the input, or with a layer below it that mixes genes
 * @see Selvaraju et al. 2017
 */
export function gradCam(model: ExplainedNetwork, { unit, output }: Question): Float64Array {
  const { last, below } = convolutionOf(model.network.model);
  const { rows } = model.wayBack(model.endsOf(unit, unit).to, output, {
    start: () => 1,
    layer: (layer, input, context) => {
      const pass = forwardLayer(layer, input, context);
      if (layer.name !== last && !below.has(layer.name)) return pass;
      return {
        ...pass,
        backward: (arrived) => {
          const map = layer.name === last ? camOf(pass.output, arrived, context) : arrived;
          return { input: mapBelow(layer, pass, map, context), weights: zerosOf(input.weights, context) };
        },
      };
    },
  });
  return rows;
}

/** The last convolution, and the layers between it and the input: one line, or the map would have no one meaning. */
function convolutionOf({ blocks, inputs }: ResolvedModel): { last: string; below: ReadonlySet<string> } {
  const index = blocks.findLastIndex(({ layers }) => layers.some(isConvolution));
  const below = new Set<string>();
  for (let block = blocks[index]; block;) {
    const [source, ...more] = block.sources;
    const readers = blocks.filter(({ sources }) => sources.includes(source!));
    if (more.length > 0 || readers.length > 1) break;
    block.layers.forEach(({ name }) => below.add(name));
    const next = blocks.find(({ name }) => name === source);
    if (!next && inputs.length === 1) {
      const last = blocks[index]!.layers.findLast(isConvolution)!.name;
      const order = blocks.flatMap(({ layers }) => layers.map(({ name }) => name));
      order.slice(order.indexOf(last)).forEach((name) => below.delete(name));
      return { last, below };
    }
    block = next;
  }
  throw new RegulonError('E_MODEL_SHAPE', 'Grad-CAM: no convolution lies on the only way from one input', {
    hint: 'use integrated gradients: they need no convolution',
  });
}

const isConvolution = ({ declaration }: ResolvedLayer): boolean => CONVOLUTIONS.includes(declaration.type);

/** Σ over channels of activation · mean gradient, at least 0; the same in each channel. */
function camOf(activation: Tensor, gradient: Tensor, { backend }: PassContext): Tensor {
  const channels = activation.shape.at(-1) ?? 1;
  return filled(activation.shape, backend, (map) => {
    const [a, g] = [backend.view(activation), backend.view(gradient)];
    const positions = a.length / channels;
    const weights = new Float64Array(channels);
    g.forEach((slope, i) => (weights[i % channels] = weights[i % channels]! + slope / positions));
    for (let at = 0; at < a.length; at += channels) {
      const sum = weights.reduce((total, w, c) => total + w * a[at + c]!, 0);
      map.fill(Math.max(sum, 0), at, at + channels);
    }
  });
}

/** A map over a layer's output as one over its input. */
function mapBelow(layer: ResolvedLayer, pass: LayerPass, map: Tensor, { backend }: PassContext): Tensor {
  const { type } = layer.declaration;
  const { inputShape, outputShape } = layer;
  if (KEEPS.includes(type)) return map;
  if (MOVES.includes(type)) return pass.backward(map, true).input!;
  const channels = outputShape.at(-1) ?? 1;
  const positions = Float64Array.from(backend.view(map)).filter((_, i) => i % channels === 0);
  const below = positionsBelow(layer, positions);
  const width = inputShape.at(-1) ?? 1;
  return filled([1, ...inputShape], backend, (values) => {
    for (let i = 0; i < values.length; i++) values[i] = below[Math.floor(i / width)]!;
  });
}

/** @throws E_MODEL_SHAPE if the layer has no places that are those of its input */
function positionsBelow(layer: ResolvedLayer, positions: Float64Array): Float64Array {
  const { name, declaration, inputShape } = layer;
  const sides = sidesOf(layer);
  if (sides) return upsampled(positions, ...sides);
  // a dense layer works on the channels of each position
  if (declaration.type === 'dense' && inputShape.length > 1) return positions;
  throw new RegulonError('E_MODEL_SHAPE', `Grad-CAM: ${name} lies below the convolution and mixes genes`, {
    hint: 'use integrated gradients',
  });
}

/** Windows of a convolution or pool by rows and columns; undefined for other layers. */
function sidesOf({ declaration, inputShape, outputShape }: ResolvedLayer): [Side, Side] | undefined {
  const windows = windowsOf(declaration);
  if (!windows) return undefined;
  const [down, across] = windows;
  const [high = 1, wide = 1] = inputShape;
  const [outHigh = 1, outWide = 1] = outputShape;
  // steps of a sequence are the columns of one row
  if (!across) return [{ size: 1, out: 1, first: 0, stride: 1 }, sideOf(high, outHigh, down)];
  return [sideOf(high, outHigh, down), sideOf(wide, outWide, across)];
}

/** Along the steps of a sequence, or down and across a picture. */
function windowsOf(declaration: LayerDeclaration): [Window, Window?] | undefined {
  const { type } = declaration;
  if (type === 'conv1d' || type === 'depthwise-conv1d') {
    const { kernel, dilation, stride, padding } = declaration;
    return [{ reach: (kernel - 1) * dilation + 1, stride, same: padding === 'same' }];
  }
  if (type === 'conv1d-strands') return [{ reach: declaration.kernel, stride: 1, same: false }];
  if (type === 'conv2d') {
    const { kernel, stride, padding } = declaration;
    const [high, wide] = kernel;
    const same = padding === 'same';
    return [
      { reach: high, stride, same },
      { reach: wide, stride, same },
    ];
  }
  if (type === 'max-pool1d' || type === 'average-pool1d') return [poolOf(declaration.size)];
  if (type !== 'max-pool2d' && type !== 'average-pool2d') return undefined;
  return [poolOf(declaration.size), poolOf(declaration.size)];
}

const poolOf = (size: number): Window => ({ reach: size, stride: size, same: false });

function zerosOf(weights: readonly Tensor[], { backend }: PassContext): Tensor[] {
  return weights.map(({ shape }) => filled(shape, backend, (values) => values.fill(0)));
}
