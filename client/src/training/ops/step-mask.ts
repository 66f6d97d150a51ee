import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { filled, type StepMask } from './op.js';

/** Score of a step that is padding: its exponential is exactly 0. */
const NEVER = -1e9;

/** A mask as a tensor. */
export function maskTensor(mask: StepMask, shape: readonly number[], backend: TrainingBackend): tf.Tensor {
  return filled(shape, backend, (values) => values.set(mask));
}

/**
 * Mask of windows over steps: a window counts if all its steps do, so that a padded sequence has as many as the sequence
 * alone.
 *
 * @param reach steps that a window covers, `dilation` apart
 */
export function maskOfWindows(
  mask: StepMask,
  windows: { batch: number; steps: number; outSteps: number; stride: number; taps: number; dilation: number },
): StepMask {
  const { batch, steps, outSteps, stride, taps, dilation } = windows;
  const out = new Float32Array(batch * outSteps);
  for (let b = 0; b < batch; b++) {
    for (let t = 0; t < outSteps; t++) {
      let all = 1;
      for (let k = 0; k < taps; k++) all *= mask[b * steps + t * stride + k * dilation]!;
      out[b * outSteps + t] = all;
    }
  }
  return out;
}

/** x with zeros at padded steps; x [batch, steps, channels]. */
export function withoutPadding(x: tf.Tensor, mask: StepMask, backend: TrainingBackend): tf.Tensor {
  const channels = x.shape[2] ?? 1;
  return filled(x.shape, backend, (values) => {
    const source = backend.view(x);
    for (let i = 0; i < values.length; i++) {
      values[i] = mask[Math.floor(i / channels)] === 0 ? 0 : source[i]!;
    }
  });
}

/** Scores with padded ones out of reach; differentiable; the mask must have the rank of the scores. */
export function maskedScores(scores: tf.Tensor, mask: tf.Tensor): tf.Tensor {
  return tf.add(tf.mul(scores, mask), tf.mul(tf.sub(1, mask), NEVER));
}

/** Softmax over the last dimension; what is masked weighs exactly 0, also when everything is. */
export function maskedSoftmax(scores: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor {
  if (!mask) return tf.softmax(scores);
  return tf.mul(tf.softmax(maskedScores(scores, mask)), mask);
}
