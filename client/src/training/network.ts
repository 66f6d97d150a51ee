import * as tf from '@tensorflow/tfjs-core';
import {
  manifestOf,
  type ModelDeclaration,
  type ModelFrame,
  type ResolvedLayer,
  resolveLayers,
  type WeightSpec,
} from '@regulon/shared/models';
import { conv1d } from './ops/conv1d.js';
import { dense } from './ops/dense.js';
import { dropout } from './ops/dropout.js';
import { gruCell } from './ops/gru-cell.js';
import { lstmCell } from './ops/lstm-cell.js';
import { maxPool1d } from './ops/max-pool1d.js';
import type { LayerPass, PassContext } from './ops/op.js';
import { recurrent } from './ops/recurrent.js';
import { simpleRnnCell } from './ops/simple-rnn-cell.js';

/** Output of a model for one batch, and the way back to its weights. */
export interface NetworkPass {
  /** [batch, …output shape] */
  readonly output: tf.Tensor;
  /** @returns gradient of each weight, in manifest order; they live until the surrounding `tf.tidy` ends */
  backward(gradient: tf.Tensor): tf.Tensor[];
}

/** A declared model whose shapes are known: applies the catalogue's layers in order. */
export class Network {
  readonly specs: readonly WeightSpec[];
  readonly #layers: readonly ResolvedLayer[];

  /** @throws E_MODEL_SHAPE naming the layer and the shapes */
  constructor(
    declaration: ModelDeclaration,
    readonly frame: ModelFrame,
  ) {
    this.#layers = resolveLayers(declaration, frame);
    this.specs = manifestOf(declaration, frame);
  }

  /** Shape of one unit's output. */
  get outputShape(): readonly number[] {
    return this.#layers.at(-1)?.outputShape ?? this.frame.inputShape;
  }

  /** Most elements that the activations of one unit take, forward. */
  get activationSize(): number {
    return this.#layers.reduce((n, layer) => n + layer.outputShape.reduce((a, b) => a * b, 1), 0);
  }

  /**
   * @param x [batch, …input shape]
   * @param weights one tensor for each entry of `specs`
   */
  forward(x: tf.Tensor, weights: readonly tf.Tensor[], context: PassContext): NetworkPass {
    const passes: { pass: LayerPass; outputShape: number[] }[] = [];
    let value = x;
    let at = 0;
    for (const layer of this.#layers) {
      const input = tf.reshape(value, [x.shape[0] ?? 1, ...layer.inputShape]);
      const own = weights.slice(at, at + layer.weights.length);
      at += own.length;
      const pass = forwardLayer(layer, input, own, context);
      passes.push({ pass, outputShape: pass.output.shape });
      value = pass.output;
    }
    return { output: value, backward: (gradient) => backwardLayers(passes, gradient) };
  }
}

function backwardLayers(
  passes: readonly { pass: LayerPass; outputShape: number[] }[],
  gradient: tf.Tensor,
): tf.Tensor[] {
  const gradients: tf.Tensor[][] = [];
  let flowing = gradient;
  for (const [index, { pass, outputShape }] of [...passes.entries()].reverse()) {
    const { input, weights } = pass.backward(tf.reshape(flowing, outputShape), index > 0);
    gradients.unshift([...weights]);
    if (input) flowing = input;
  }
  return gradients.flat();
}

function forwardLayer(
  layer: ResolvedLayer,
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  context: PassContext,
): LayerPass {
  const { declaration } = layer;
  const [first, second, third] = weights as [tf.Tensor, tf.Tensor, tf.Tensor];
  const sequenceWeights = { kernel: first, recurrent: second, bias: third };
  switch (declaration.type) {
    case 'dense':
      return dense(x, first, second, declaration.activation, context);
    case 'conv1d':
      return conv1d(x, first, second, declaration, context);
    case 'max-pool1d':
      return maxPool1d(x, declaration.size, context);
    case 'flatten':
      return flatten(x);
    case 'dropout':
      return dropout(x, declaration.rate, layer.name, context);
    case 'gru':
      return recurrent(gruCell, x, sequenceWeights, declaration.returnSequences, context);
    case 'lstm':
      return recurrent(lstmCell, x, sequenceWeights, declaration.returnSequences, context);
    case 'simple-rnn':
      return recurrent(simpleRnnCell, x, sequenceWeights, declaration.returnSequences, context);
  }
}

function flatten(x: tf.Tensor): LayerPass {
  const [batch = 1] = x.shape;
  return {
    output: tf.reshape(x, [batch, -1]),
    backward: (gradient) => ({ input: tf.reshape(gradient, x.shape), weights: [] }),
  };
}
