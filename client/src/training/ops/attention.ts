import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { gatherRows, sumRows } from '../kernels/gather.js';
import { affine, composedLayer, product } from './composed.js';
import { filled, type LayerPass, type PassContext, type StepMask } from './op.js';
import { maskedSoftmax, maskTensor } from './step-mask.js';

/**
 * Weighted mean of the steps, weights = softmax over steps of v·tanh(W·h + b).
 *
 * @param x [batch, steps, channels]
 * @param weights kernel [channels, units], bias [units], score [units, 1]
 * @param mask padded steps weigh exactly 0
 * @returns output [batch, channels]
 * @see Bahdanau et al. 2015
 */
export function temporalAttention(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { backend }: PassContext,
  mask?: StepMask,
): LayerPass {
  return composedLayer(
    (a, w) => tf.sum(tf.mul(a, tf.expandDims(stepWeights(a, w, mask, backend), 2)), 1),
    x,
    weights,
  );
}

/** The weight of each step, [batch, steps]; those of a unit sum to 1. */
export function stepWeights(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  mask: StepMask | undefined,
  backend: TrainingBackend,
): tf.Tensor {
  const [kernel, bias, score] = weights as [tf.Tensor, tf.Tensor, tf.Tensor];
  const [batch = 1, steps = 1] = x.shape;
  const hidden = tf.tanh(affine(x, kernel, bias, backend));
  const scores = product(tf.reshape(hidden, [batch * steps, bias.size]), score, backend);
  return maskedSoftmax(tf.reshape(scores, [batch, steps]), mask && maskTensor(mask, [batch, steps], backend));
}

/** Gates on the last dimension: x ⊙ σ(x·W + b). @param weights kernel [channels, channels], bias [channels] */
export function featureAttention(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { backend }: PassContext,
): LayerPass {
  return composedLayer(
    (a, [kernel, bias]) => tf.mul(a, tf.sigmoid(affine(a, kernel!, bias!, backend))),
    x,
    weights,
  );
}

/** Adds a learned vector to each step. @param x [batch, steps, channels] @param table [steps, channels] */
export function positionEmbedding(x: tf.Tensor, table: tf.Tensor): LayerPass {
  return composedLayer((a, [t]) => tf.add(a, t!), x, [table]);
}

/**
 * Rows of a table by number; a number outside of it (padding is negative) reads as zeros.
 *
 * @param x [batch, steps], whole numbers
 * @param table [vocabulary, units]
 * @returns output [batch, steps, units]
 */
export function embedding(x: tf.Tensor, table: tf.Tensor, { backend }: PassContext): LayerPass {
  const units = table.shape[1] ?? 1;
  const ids = Int32Array.from(backend.view(x));
  return {
    output: filled([...x.shape, units], backend, (out) => gatherRows(backend.view(table), ids, units, out)),
    backward: (gradient) => ({
      weights: [filled(table.shape, backend, (sums) => sumRows(backend.view(gradient), ids, units, sums))],
    }),
  };
}
