import * as tf from '@tensorflow/tfjs-core';
import type { Merge } from '@regulon/shared/models';
import type { TrainingBackend } from '../backends/backend.js';
import { composed, type Composed, product } from './composed.js';
import { filled } from './op.js';
import { maskedSoftmax } from './step-mask.js';

/** One source of a merge for a batch. */
export interface MergeInput {
  /** [batch, …] */
  readonly value: tf.Tensor;
  /** 1 where a unit has it; absent where every unit does */
  readonly present: Float32Array | undefined;
}

/**
 * Put sources together: `concat`, `add`, the mean over those that a unit has, or a softmax gate over them.
 *
 * @param weights of `gated`: for each source kernel [features, 1] and bias [1]
 * @returns output, and gradients of the sources, then of the weights
 * @see Arevalo et al. 2017 (gated multimodal units), with a softmax over the sources
 */
export function merge(
  kind: Merge,
  sources: readonly MergeInput[],
  weights: readonly tf.Tensor[],
  backend: TrainingBackend,
): Composed {
  const values = sources.map(({ value }) => value);
  const presence = presenceOf(sources, backend);
  const n = sources.length;
  return composed(
    (all) => {
      const parts = all.slice(0, n);
      switch (kind) {
        case 'concat':
          return tf.concat([...parts], (parts[0]?.rank ?? 1) - 1);
        case 'add':
          return tf.addN([...parts]);
        case 'masked-mean':
          return weighted(parts, tf.div(presence, tf.maximum(tf.sum(presence, 1, true), 1)));
        case 'gated':
          return weighted(parts, gates(parts, all.slice(n), presence, backend));
      }
    },
    [...values, ...weights],
  );
}

/** [batch, sources] */
function presenceOf(sources: readonly MergeInput[], backend: TrainingBackend): tf.Tensor {
  const batch = sources[0]?.value.shape[0] ?? 1;
  return filled([batch, sources.length], backend, (values) =>
    sources.forEach(({ present }, s) => {
      for (let b = 0; b < batch; b++) values[b * sources.length + s] = present ? present[b]! : 1;
    }),
  );
}

/** Σ over the sources of value times weight. */
function weighted(parts: readonly tf.Tensor[], weights: tf.Tensor): tf.Tensor {
  const batch = weights.shape[0] ?? 1;
  return tf.addN(
    parts.map((part, s) => {
      const factor = tf.slice(weights, [0, s], [batch, 1]);
      return tf.mul(part, tf.reshape(factor, [batch, ...part.shape.slice(1).map(() => 1)]));
    }),
  );
}

function gates(
  parts: readonly tf.Tensor[],
  weights: readonly tf.Tensor[],
  presence: tf.Tensor,
  backend: TrainingBackend,
): tf.Tensor {
  const scores = parts.map((part, s) => tf.add(product(part, weights[2 * s]!, backend), weights[2 * s + 1]!));
  return maskedSoftmax(tf.concat(scores, 1), presence);
}
