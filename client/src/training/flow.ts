import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedInput } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { filled, type PassContext, type StepMask } from './ops/op.js';
import type { Tape, TapeNode, TapeValue } from './tape.js';

/** A value that flows between blocks, and what of it is there. */
export interface Flow {
  readonly value: TapeValue;
  /** padded steps, [batch, steps] */
  readonly steps: StepMask | undefined;
  /** 1 for each unit of the batch that has this omic */
  readonly present: Float32Array | undefined;
}

/** One input of the units in a batch: its slice of their rows, and the mask behind it. @param x [batch, …row] */
export function inputFlow(input: ResolvedInput, x: tf.Tensor, tape: Tape, context: PassContext): Flow {
  const { shape, offset, mask, maskSize } = input;
  const [batch = 1] = x.shape;
  const row = x.size / batch;
  const size = shape.reduce((a, b) => a * b, 1);
  if (size === row) {
    const value = tape.leaf(tf.reshape(x, [batch, ...shape]));
    return { value, steps: undefined, present: undefined };
  }
  const { backend } = context;
  const known = new Float32Array(batch * maskSize);
  const tensor = filled([batch, ...shape], backend, (values) => {
    const rows = backend.view(x);
    for (let b = 0; b < batch; b++) {
      const from = b * row + offset;
      known.set(rows.subarray(from + size, from + size + maskSize), b * maskSize);
      values.set(rows.subarray(from, from + size), b * size);
    }
    if (maskSize > 0) clearAbsent(values, known);
  });
  return {
    value: tape.leaf(tensor),
    steps: mask === 'steps' ? known : undefined,
    present: mask === 'unit' ? known : undefined,
  };
}

/**
 * Gradients of the inputs, put back into the units' rows.
 *
 * @param parts for each input [batch, …shape], or undefined where nothing flows
 * @param shape of the rows, [batch, …row]
 * @returns that shape, 0 at masks
 */
export function rowGradient(
  inputs: readonly ResolvedInput[],
  parts: readonly (tf.Tensor | undefined)[],
  shape: readonly number[],
  backend: TrainingBackend,
): tf.Tensor {
  const [batch = 1] = shape;
  return filled(shape, backend, (rows) => {
    rows.fill(0);
    inputs.forEach(({ offset }, i) => {
      const part = parts[i];
      if (!part) return;
      const size = part.size / batch;
      const values = backend.view(part);
      for (let b = 0; b < batch; b++) {
        rows.set(values.subarray(b * size, (b + 1) * size), (b * rows.length) / batch + offset);
      }
    });
  });
}

/** What is not there reads as zeros, whatever the row holds: a NaN must not reach a sum through a weight of 0. */
function clearAbsent(values: Float32Array, known: Float32Array): void {
  const width = values.length / known.length;
  known.forEach((is, i) => {
    if (is === 0) values.fill(0, i * width, (i + 1) * width);
  });
}

/** Outputs of several heads, one after the other: [batch, sum of their sizes]. */
export function concatenated(values: readonly TapeValue[]): TapeNode {
  const rows = values.map(({ tensor }) => tf.reshape(tensor, [tensor.shape[0] ?? 1, -1]));
  const widths = rows.map((tensor) => tensor.shape[1] ?? 1);
  return {
    output: tf.concat(rows, 1),
    backward: (gradient) => ({
      inputs: tf.split(gradient, widths, 1),
      weights: [],
    }),
  };
}
