import * as tf from '@tensorflow/tfjs-core';
import { affine, composedLayer, product } from './composed.js';
import type { LayerPass, PassContext, StepMask } from './op.js';
import { maskTensor } from './step-mask.js';

/**
 * Gated recurrent unit that resets before the recurrent product (the form of TensorFlow.js layers).
 *
 *     z = σ(x·Wz + h·Uz + bz)    r = σ(x·Wr + h·Ur + br)    n = tanh(x·Wn + (r ⊙ h)·Un + bn)
 *     h′ = (1 − z) ⊙ n + z ⊙ h
 *
 * @param x [batch, steps, channels]
 * @param weights kernel [channels, 3H], recurrent [H, 3H], bias [3H]; gate order z, r, n
 * @param mask a padded step keeps the state of the step before
 * @returns output [batch, steps, H] if `returnSequences`, else the last state [batch, H]
 * @see Cho et al. 2014, arXiv:1406.1078v3
 */
export function gruV3(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  returnSequences: boolean,
  context: PassContext,
  mask?: StepMask,
): LayerPass {
  const [batch = 1, steps = 1] = x.shape;
  const present = mask && maskTensor(mask, [batch, steps, 1], context.backend);
  return composedLayer((a, w) => states(a, w, returnSequences, present, context), x, weights);
}

function states(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  returnSequences: boolean,
  present: tf.Tensor | undefined,
  { backend }: PassContext,
): tf.Tensor {
  const [kernel, recurrent, bias] = weights as [tf.Tensor, tf.Tensor, tf.Tensor];
  const [batch = 1, steps = 1] = x.shape;
  const [H = 1] = recurrent.shape;
  const gates = tf.slice(recurrent, [0, 0], [H, 2 * H]);
  const candidate = tf.slice(recurrent, [0, 2 * H], [H, H]);
  const fromInput = affine(x, kernel, bias, backend);
  const part = (t: number, from: number, width: number): tf.Tensor =>
    tf.reshape(tf.slice(fromInput, [0, t, from], [batch, 1, width]), [batch, width]);
  let state: tf.Tensor = tf.zeros([batch, H]);
  const all: tf.Tensor[] = [];
  for (let t = 0; t < steps; t++) {
    const zr = tf.sigmoid(tf.add(part(t, 0, 2 * H), product(state, gates, backend)));
    const z = tf.slice(zr, [0, 0], [batch, H]);
    const r = tf.slice(zr, [0, H], [batch, H]);
    const n = tf.tanh(tf.add(part(t, 2 * H, H), product(tf.mul(r, state), candidate, backend)));
    const next = tf.add(tf.mul(tf.sub(1, z), n), tf.mul(z, state));
    state = present ? blend(state, next, tf.slice(present, [0, t, 0], [batch, 1, 1])) : next;
    all.push(state);
  }
  return returnSequences ? tf.stack(all, 1) : state;
}

/** The next state where a unit has this step, the one before where it is padded. */
function blend(before: tf.Tensor, next: tf.Tensor, present: tf.Tensor): tf.Tensor {
  const there = tf.reshape(present, [-1, 1]);
  return tf.add(tf.mul(next, there), tf.mul(before, tf.sub(1, there)));
}
