import * as tf from '@tensorflow/tfjs-core';
import { composedLayer } from './composed.js';
import type { LayerPass, PassContext } from './op.js';

/** (x − mean)/√(variance + ε) over the given axes; variance with 1/n. */
export function standardised(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon)));
}

/** Each step of each unit over its channels, then scale and shift. @param x [batch, …, channels] @see Ba et al. 2016 */
export function layerNorm(x: tf.Tensor, weights: readonly tf.Tensor[], epsilon: number): LayerPass {
  return composedLayer(
    (a, [scale, shift]) => tf.add(tf.mul(standardised(a, [a.rank - 1], epsilon), scale!), shift!),
    x,
    weights,
  );
}

/**
 * Each unit over groups of channels and all positions, then scale and shift by channel.
 *
 * @param x [batch, …, channels]; channels are a multiple of groups
 * @see Wu & He 2018
 */
export function groupNorm(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { groups, epsilon }: { groups: number; epsilon: number },
): LayerPass {
  const channels = x.shape.at(-1) ?? 1;
  const grouped = [x.shape[0] ?? 1, x.size / (x.shape[0] ?? 1) / channels, groups, channels / groups];
  return composedLayer(
    (a, [scale, shift]) => {
      const normal = standardised(tf.reshape(a, grouped), [1, 3], epsilon);
      return tf.add(tf.mul(tf.reshape(normal, x.shape), scale!), shift!);
    },
    x,
    weights,
  );
}

/**
 * Each channel over batch and positions; outside of training by the running statistics of the site.
 *
 * @param weights scale, shift, running mean, running variance, each [channels]; the last two have no gradient
 * @returns its pass, with the new running statistics while training
 * @see Ioffe & Szegedy 2015; Li et al. 2021 (FedBN)
 */
export function batchNorm(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { momentum, epsilon }: { momentum: number; epsilon: number },
  { backend, training }: PassContext,
): LayerPass {
  const [scale, shift, mean, variance] = weights as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
  const axes = Array.from({ length: x.rank - 1 }, (_, i) => i);
  const normal = (a: tf.Tensor): tf.Tensor =>
    training ? standardised(a, axes, epsilon) : tf.mul(tf.sub(a, mean), tf.rsqrt(tf.add(variance, epsilon)));
  const pass = composedLayer((a, [s, b]) => tf.add(tf.mul(normal(a), s!), b!), x, [scale, shift]);
  const none = tf.zerosLike(mean);
  const withStatistics: LayerPass = {
    output: pass.output,
    backward(gradient, wantsInput) {
      const { weights: own, ...input } = pass.backward(gradient, wantsInput);
      return { ...input, weights: [...own, none, none] };
    },
  };
  if (!training) return withStatistics;
  const batchMean = tf.mean(x, axes);
  const batchVariance = tf.mean(tf.square(tf.sub(x, batchMean)), axes);
  const moved = (old: tf.Tensor, now: tf.Tensor): Float32Array =>
    Float32Array.from(backend.view(tf.add(tf.mul(old, 1 - momentum), tf.mul(now, momentum))));
  const updates = [
    { weight: 2, values: moved(mean, batchMean) },
    { weight: 3, values: moved(variance, batchVariance) },
  ];
  return { ...withStatistics, updates };
}
