import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { type AddNorms, filled, type LayerPass, type PassContext, type StepMask } from './op.js';

/** A recurrent layer in one direction. */
export type Direction = (x: tf.Tensor, weights: readonly tf.Tensor[], mask?: StepMask) => LayerPass;

/**
 * A recurrent layer in both directions, outputs side by side; padded steps keep the state in both.
 *
 * @param x [batch, steps, channels]
 * @param weights of the first direction, then as many of the second
 * @see Schuster & Paliwal 1997
 */
export function bidirectional(
  direction: Direction,
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { backend }: PassContext,
  mask?: StepMask,
): LayerPass {
  const half = weights.length / 2;
  const [, steps = 1] = x.shape;
  const onward = direction(x, weights.slice(0, half), mask);
  const back = direction(reversed(x, backend), weights.slice(half), mask && reversedMask(mask, steps));
  const isSequence = onward.output.rank === 3;
  const inOrder = (tensor: tf.Tensor): tf.Tensor => (isSequence ? reversed(tensor, backend) : tensor);
  const axis = onward.output.rank - 1;
  const width = onward.output.shape[axis] ?? 1;
  const part = (gradient: tf.Tensor, from: number): tf.Tensor => {
    const leading = gradient.shape.slice(0, -1);
    return tf.slice(gradient, [...leading.map(() => 0), from], [...leading, width]);
  };
  const { taps: tapsOnward } = onward;
  const { taps: tapsBack } = back;
  return {
    output: tf.concat([onward.output, inOrder(back.output)], axis),
    ...(tapsOnward && tapsBack
      ? {
          taps(gradient, wantsInput) {
            const first = tapsOnward(part(gradient, 0), wantsInput);
            const second = tapsBack(inOrder(part(gradient, width)), wantsInput);
            const addNorms: AddNorms = (patients, norms) =>
              [first, second].forEach((direction) => direction.addNorms(patients, norms));
            if (!first.input || !second.input) return { addNorms };
            return { addNorms, input: tf.add(first.input, reversed(second.input, backend)) };
          },
        }
      : {}),
    backward(gradient, wantsInput) {
      const first = onward.backward(part(gradient, 0), wantsInput);
      const second = back.backward(inOrder(part(gradient, width)), wantsInput);
      const gradients = [...first.weights, ...second.weights];
      if (!first.input || !second.input) return { weights: gradients };
      return { weights: gradients, input: tf.add(first.input, reversed(second.input, backend)) };
    },
  };
}

/** The last step first. @param x [batch, steps, columns] */
function reversed(x: tf.Tensor, backend: TrainingBackend): tf.Tensor {
  const [batch = 1, steps = 1, columns = 1] = x.shape;
  return filled(x.shape, backend, (values) => {
    const source = backend.view(x);
    for (let row = 0; row < batch * steps; row++) {
      const t = row % steps;
      const from = (row - t + (steps - 1 - t)) * columns;
      for (let c = 0; c < columns; c++) values[row * columns + c] = source[from + c]!;
    }
  });
}

function reversedMask(mask: StepMask, steps: number): StepMask {
  return mask.map((_, at) => mask[at - (at % steps) + (steps - 1 - (at % steps))]!);
}
