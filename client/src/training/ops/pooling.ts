import * as tf from '@tensorflow/tfjs-core';
import { composedLayer } from './composed.js';
import { filled, type LayerPass, type PassContext, type StepMask } from './op.js';
import { pool2d } from './pool2d.js';
import { maskedScores, maskOfWindows, maskTensor } from './step-mask.js';

/** Mask of a pool of `size` steps: a window counts if all its steps do. */
export function pooledMask(x: tf.Tensor, size: number, mask: StepMask): StepMask {
  const [batch = 1, steps = 1] = x.shape;
  const outSteps = Math.floor(steps / size);
  return maskOfWindows(mask, { batch, steps, outSteps, stride: size, taps: size, dilation: 1 });
}

/** Mean of each `size` steps; steps that fill no window are dropped. @param x [batch, steps, channels] */
export function averagePool1d(x: tf.Tensor, size: number, { backend }: PassContext): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const pooled = Math.floor(steps / size);
  return {
    output: filled([batch, pooled, channels], backend, (means) => {
      const source = backend.view(x);
      means.fill(0);
      everyStep(batch, steps, pooled * size, (row, b, t) => {
        const to = (b * pooled + Math.floor(t / size)) * channels;
        const from = row * channels;
        for (let c = 0; c < channels; c++) means[to + c] = means[to + c]! + source[from + c]! / size;
      });
    }),
    backward: (gradient) => ({
      input: filled(x.shape, backend, (values) => {
        const source = backend.view(gradient);
        // steps that fill no window have no gradient
        values.fill(0);
        everyStep(batch, steps, pooled * size, (row, b, t) => {
          const from = (b * pooled + Math.floor(t / size)) * channels;
          const to = row * channels;
          for (let c = 0; c < channels; c++) values[to + c] = source[from + c]! / size;
        });
      }),
      weights: [],
    }),
  };
}

/** The first `used` steps of each unit: their row, unit and step. */
function everyStep(
  batch: number,
  steps: number,
  used: number,
  use: (row: number, unit: number, step: number) => void,
): void {
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < used; t++) use(b * steps + t, b, t);
  }
}

/** Mean of each window of size × size. @param x [batch, rows, columns, channels] */
export function averagePool2d(x: tf.Tensor, size: number, context: PassContext): LayerPass {
  return pool2d(x, (sequence) => averagePool1d(sequence, size, context));
}

/** Mean over all positions; padded steps do not take part. @param x [batch, …, channels] @returns [batch, channels] */
export function globalAveragePool(
  x: tf.Tensor,
  mask: StepMask | undefined,
  { backend }: PassContext,
): LayerPass {
  const { batch, positions, channels } = flatPositions(x);
  const weights = mask && maskTensor(mask, [batch, positions, 1], backend);
  return composedLayer(
    (a) => {
      const flat = tf.reshape(a, [batch, positions, channels]);
      if (!weights) return tf.mean(flat, 1);
      return tf.div(tf.sum(tf.mul(flat, weights), 1), tf.maximum(tf.sum(weights, 1), 1));
    },
    x,
    [],
  );
}

/** Largest over all positions; padded steps do not take part. @param x [batch, …, channels] @returns [batch, channels] */
export function globalMaxPool(x: tf.Tensor, mask: StepMask | undefined, { backend }: PassContext): LayerPass {
  const { batch, positions, channels } = flatPositions(x);
  const weights = mask && maskTensor(mask, [batch, positions, 1], backend);
  return composedLayer(
    (a) => {
      const flat = tf.reshape(a, [batch, positions, channels]);
      if (!weights) return tf.max(flat, 1);
      // a unit without any step gives zeros
      return tf.mul(tf.max(maskedScores(flat, weights), 1), tf.max(weights, 1));
    },
    x,
    [],
  );
}

function flatPositions(x: tf.Tensor): { batch: number; positions: number; channels: number } {
  const batch = x.shape[0] ?? 1;
  const channels = x.shape.at(-1) ?? 1;
  return { batch, channels, positions: x.size / batch / channels };
}

/** Each step `size` times. @param x [batch, steps, channels] */
export function upsample1d(
  x: tf.Tensor,
  size: number,
  mask: StepMask | undefined,
  { backend }: PassContext,
): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const from = (i: number): number => Math.floor(i / (size * channels)) * channels + (i % channels);
  const output = filled([batch, steps * size, channels], backend, (values) => {
    const source = backend.view(x);
    for (let i = 0; i < values.length; i++) values[i] = source[from(i)]!;
  });
  return {
    output,
    ...(mask
      ? { mask: Float32Array.from({ length: mask.length * size }, (_, i) => mask[Math.floor(i / size)]!) }
      : {}),
    backward: (gradient) => ({
      input: filled(x.shape, backend, (values) => {
        const source = backend.view(gradient);
        values.fill(0);
        for (let i = 0; i < source.length; i++) values[from(i)] = values[from(i)]! + source[i]!;
      }),
      weights: [],
    }),
  };
}
