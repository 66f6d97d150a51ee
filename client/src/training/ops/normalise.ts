import * as tf from '@tensorflow/tfjs-core';
import { type Groups, normalise, normaliseBackward } from '../kernels/normalise.js';
import { columnNorm, unitsOf } from '../dp-sgd/squares.js';
import { columnSums } from './activation.js';
import { composedLayer } from './composed.js';
import { type LayerPass, type PassContext, rowsOf } from './op.js';

/** (x − mean)/√(variance + ε) over the given axes; variance with 1/n. */
export function standardised(x: tf.Tensor, axes: number[], epsilon: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  return tf.mul(centred, tf.rsqrt(tf.add(tf.mean(tf.square(centred), axes, true), epsilon)));
}

/** Each step of each unit over its channels, then scale and shift. @param x [batch, …, channels] @see Ba et al. 2016 */
export function layerNorm(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  epsilon: number,
  context: PassContext,
): LayerPass {
  const { rows, columns } = rowsOf(x.shape);
  return normalised(x, weights, { units: rows, positions: 1, groups: 1, width: columns }, epsilon, context);
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
  context: PassContext,
): LayerPass {
  const [units = 1] = x.shape;
  const { rows, columns } = rowsOf(x.shape);
  const sizes = { units, positions: rows / units, groups, width: columns / groups };
  return normalised(x, weights, sizes, epsilon, context);
}

function normalised(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  groups: Groups,
  epsilon: number,
  { backend }: PassContext,
): LayerPass {
  const [scale, shift] = weights as [tf.Tensor, tf.Tensor];
  const output = backend.allocate(x.shape);
  const stats = backend.allocate([groups.units, groups.groups, 2]);
  const view = (tensor: tf.Tensor): Float32Array => backend.view(tensor);
  const there = { x: view(x), scale: view(scale), shift: view(shift), y: view(output), stats: view(stats) };
  normalise(there, groups, epsilon, backend.kernels);
  const back = (gradient: tf.Tensor): { turned: tf.Tensor; dInput: tf.Tensor } => {
    const [turned, dInput] = [backend.allocate(x.shape), backend.allocate(x.shape)];
    const read = { x: view(x), scale: view(scale), stats: view(stats), dy: view(gradient) };
    normaliseBackward({ ...read, turned: view(turned), dx: view(dInput) }, groups, backend.kernels);
    return { turned, dInput };
  };
  return {
    output,
    backward(gradient) {
      const [dScale, dShift] = [backend.allocate(scale.shape), backend.allocate(shift.shape)];
      const { turned, dInput } = back(gradient);
      columnSums(view(turned), view(dScale), backend.kernels);
      columnSums(view(gradient), view(dShift), backend.kernels);
      return { input: dInput, weights: [dScale, dShift] };
    },
    taps(gradient) {
      const { turned, dInput } = back(gradient);
      const size = x.size / (x.shape[0] ?? 1);
      return {
        input: dInput,
        addNorms: (patients, norms) =>
          patients.forEach((patient, p) => {
            for (const rows of [view(turned), view(gradient)])
              norms[p] = norms[p]! + columnNorm(unitsOf(rows, patient, size), scale.size);
          }),
      };
    },
  };
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
