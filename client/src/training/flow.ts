import * as tf from '@tensorflow/tfjs-core';
import type { ResolvedInput } from '@regulon/shared/models';
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
  const slices = (from: number, length: number, write: (slice: Float32Array, unit: number) => void): void => {
    const rows = backend.view(x);
    for (let b = 0; b < batch; b++) write(rows.subarray(b * row + from, b * row + from + length), b);
  };
  const tensor = filled([batch, ...shape], backend, (values) =>
    slices(offset, size, (slice, b) => values.set(slice, b * size)),
  );
  const known = new Float32Array(batch * maskSize);
  slices(offset + size, maskSize, (slice, b) => known.set(slice, b * maskSize));
  return {
    value: tape.leaf(tensor),
    steps: mask === 'steps' ? known : undefined,
    present: mask === 'unit' ? known : undefined,
  };
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
