import * as tf from '@tensorflow/tfjs-core';
import { affine, composedLayer } from './composed.js';
import { standardised } from './normalise.js';
import type { LayerPass, PassContext, StepMask } from './op.js';
import { maskedSoftmax, maskTensor } from './step-mask.js';

const EPSILON = 1e-5;

/**
 * One encoder block, normalised before each part: x + attention(norm(x)), then x + feed-forward(norm(x)).
 *
 * @param x [batch, steps, channels]; channels are a multiple of heads
 * @param weights in manifest order: norm; query, key, value, output; norm; expand, contract
 * @param mask padded steps are not attended to
 * @returns output of the shape of x
 * @see Vaswani et al. 2017; Xiong et al. 2020 (pre-norm)
 */
export function transformer(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  heads: number,
  context: PassContext,
  mask?: StepMask,
): LayerPass {
  const [batch = 1, steps = 1] = x.shape;
  const present = mask && maskTensor(mask, [batch, 1, 1, steps], context.backend);
  return composedLayer(
    (a, w) => {
      const attended = tf.add(a, attention(norm(a, w), w.slice(2), heads, present, context));
      return tf.add(attended, feedForward(norm(attended, w.slice(10)), w.slice(12), context));
    },
    x,
    weights,
  );
}

function norm(x: tf.Tensor, [scale, shift]: readonly tf.Tensor[]): tf.Tensor {
  return tf.add(tf.mul(standardised(x, [2], EPSILON), scale!), shift!);
}

function feedForward(x: tf.Tensor, w: readonly tf.Tensor[], { backend }: PassContext): tf.Tensor {
  return affine(tf.relu(affine(x, w[0]!, w[1]!, backend)), w[2]!, w[3]!, backend);
}

function attention(
  x: tf.Tensor,
  w: readonly tf.Tensor[],
  heads: number,
  present: tf.Tensor | undefined,
  { backend }: PassContext,
): tf.Tensor {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const width = channels / heads;
  /** [batch, heads, steps, width] */
  const split = (kernel: number): tf.Tensor => {
    const flat = affine(x, w[kernel]!, w[kernel + 1]!, backend);
    return tf.transpose(tf.reshape(flat, [batch, steps, heads, width]), [0, 2, 1, 3]);
  };
  const [query, key, value] = [split(0), split(2), split(4)];
  const scores = tf.div(tf.matMul(query, tf.transpose(key, [0, 1, 3, 2])), Math.sqrt(width));
  const mixed = tf.matMul(maskedSoftmax(scores, present), value);
  const joined = tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), x.shape);
  return affine(joined, w[6]!, w[7]!, backend);
}
