import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../../backends/backend.js';
import { composedLayer } from '../composed.js';
import type { LayerPass, StepMask } from '../op.js';
import { maskTensor } from '../step-mask.js';

/** States of a cell, [batch, H] each; the first is its output. */
type States = readonly tf.Tensor[];

/** One time step: x·W [batch, gates · H], recurrent weights and bias as the layer's, states before → states after. */
type StepOf = (fromInput: tf.Tensor, kernel: tf.Tensor2D, bias: tf.Tensor, before: States) => States;

interface CellOperation {
  readonly states: number;
  readonly step: StepOf;
}

const times = (h: tf.Tensor, kernel: tf.Tensor2D): tf.Tensor => tf.matMul(h, kernel);

/** Block `gate` of a matrix of blocks of width H. */
const block = (all: tf.Tensor, gate: number, width: number): tf.Tensor =>
  tf.slice(all, [0, gate * width], [-1, width]);

const cells: Readonly<Record<'lstm' | 'gru' | 'simple-rnn', CellOperation>> = {
  lstm: {
    states: 2,
    step(fromInput, kernel, bias, [h, c]) {
      const z = tf.add(tf.add(fromInput, times(h!, kernel)), bias);
      const width = h!.shape[1]!;
      const [i, f, o] = [0, 1, 3].map((gate) => tf.sigmoid(block(z, gate, width)));
      const next = tf.add(tf.mul(f!, c!), tf.mul(i!, tf.tanh(block(z, 2, width))));
      return [tf.mul(o!, tf.tanh(next)), next];
    },
  },
  gru: {
    states: 1,
    step(fromInput, kernel, bias, [h]) {
      const width = h!.shape[1]!;
      const [beside, inner] = [0, 1].map((row) => tf.slice(bias, [row, 0], [1, -1]));
      const [u, v] = [tf.add(fromInput, beside!), tf.add(times(h!, kernel), inner!)];
      const [z, r] = [0, 1].map((gate) => tf.sigmoid(tf.add(block(u, gate, width), block(v, gate, width))));
      const n = tf.tanh(tf.add(block(u, 2, width), tf.mul(r!, block(v, 2, width))));
      return [tf.add(tf.mul(tf.sub(1, z!), n), tf.mul(z!, h!))];
    },
  },
  'simple-rnn': {
    states: 1,
    step: (fromInput, kernel, bias, [h]) => [tf.tanh(tf.add(tf.add(fromInput, times(h!, kernel)), bias))],
  },
};

/**
 * `recurrent` in operations of TensorFlow.js; shapes and weights as there.
 *
 * The way back runs the sequence a second time.
 *
 * @param mask a padded step keeps the states of the step before
 */
export function recurrentOperation(
  type: keyof typeof cells,
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  returnSequences: boolean,
  backend: TrainingBackend,
  mask?: StepMask,
): LayerPass {
  const [batch = 1, steps = 1] = x.shape;
  const present = mask && maskTensor(mask, [batch, steps], backend);
  return composedLayer(
    (input, [kernel, recurrent, bias]) => {
      const all = statesOf(cells[type], input, [kernel!, recurrent!, bias!], present);
      return returnSequences ? tf.stack(all, 1) : all.at(-1)!;
    },
    x,
    weights,
  );
}

function statesOf(
  cell: CellOperation,
  x: tf.Tensor,
  [kernel, recurrent, bias]: readonly [tf.Tensor, tf.Tensor, tf.Tensor],
  present: tf.Tensor | undefined,
): tf.Tensor[] {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const [units = 1, width = 1] = recurrent.shape;
  // all inputs in one product
  const fromInput = tf.reshape(times(tf.reshape(x, [-1, channels]), kernel as tf.Tensor2D), [
    ...[batch, steps, width],
  ]);
  let states: States = Array.from({ length: cell.states }, () => tf.zeros([batch, units]));
  return Array.from({ length: steps }, (_, t) => {
    const own = tf.reshape(tf.slice(fromInput, [0, t, 0], [batch, 1, width]), [batch, width]);
    const next = cell.step(own, recurrent as tf.Tensor2D, bias, states);
    const there = present && tf.slice(present, [0, t], [batch, 1]);
    const before = states;
    states = there ? next.map((state, i) => blend(before[i]!, state, there)) : next;
    return states[0]!;
  });
}

function blend(before: tf.Tensor, next: tf.Tensor, there: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(next, there), tf.mul(before, tf.sub(1, there)));
}
