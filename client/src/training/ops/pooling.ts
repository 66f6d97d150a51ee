import * as tf from '@tensorflow/tfjs-core';
import { composedLayer } from './composed.js';
import { filled, type LayerPass, type PassContext, type StepMask } from './op.js';
import { maskedScores, maskOfWindows, maskTensor } from './step-mask.js';

/** Mask of a pool of `size` steps: a window counts if all its steps do. */
export function pooledMask(x: tf.Tensor, size: number, mask: StepMask): StepMask {
  const [batch = 1, steps = 1] = x.shape;
  const outSteps = Math.floor(steps / size);
  return maskOfWindows(mask, { batch, steps, outSteps, stride: size, taps: size, dilation: 1 });
}

/** Mean of each `size` steps; steps that fill no window are dropped. @param x [batch, steps, channels] */
export function averagePool1d(x: tf.Tensor, size: number): LayerPass {
  const [batch = 1, steps = 1, channels = 1] = x.shape;
  const pooled = Math.floor(steps / size);
  const mean = (a: tf.Tensor): tf.Tensor => {
    const used = tf.slice(a, [0, 0, 0], [batch, pooled * size, channels]);
    return tf.mean(tf.reshape(used, [batch, pooled, size, channels]), 2);
  };
  return composedLayer(mean, x, []);
}

/** Mean of each window of size × size. @param x [batch, rows, columns, channels] */
export function averagePool2d(x: tf.Tensor, size: number): LayerPass {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const [high, wide] = [Math.floor(rows / size), Math.floor(columns / size)];
  const mean = (a: tf.Tensor): tf.Tensor => {
    const used = tf.slice(a, [0, 0, 0, 0], [batch, high * size, wide * size, channels]);
    // first over the columns of a window, then over its rows
    const inRows = tf.mean(tf.reshape(used, [batch * high * size, wide, size, channels]), 2);
    const sums = tf.mean(tf.reshape(inRows, [batch * high, size, wide, channels]), 1);
    return tf.reshape(sums, [batch, high, wide, channels]);
  };
  return composedLayer(mean, x, []);
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
