import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';
import { type LayerPass, rowsOf } from '../op.js';
import { activated, throughActivated } from './activation.js';

/** `dense` and `tiedDense` in operations of TensorFlow.js; shapes as there. */
export function denseOperation(
  x: tf.Tensor,
  [kernel, bias]: readonly [kernel: tf.Tensor, bias: tf.Tensor],
  activation: Activation,
  isTransposed: boolean,
): LayerPass {
  const { rows, columns } = rowsOf(x.shape);
  const matrix = kernel as tf.Tensor2D;
  const input = tf.reshape<tf.Rank.R2>(x, [rows, columns]);
  const y = activated(tf.matMul(input, matrix, false, isTransposed), bias, activation);
  return {
    output: tf.reshape(y, [...x.shape.slice(0, -1), bias.size]),
    backward(gradient, wantsInput) {
      const dz = throughActivated(y, tf.reshape(gradient, y.shape), activation) as tf.Tensor2D;
      const dKernel = isTransposed ? tf.matMul(dz, input, true) : tf.matMul(input, dz, true);
      const weights = [dKernel, tf.sum(dz, 0)];
      if (!wantsInput) return { weights };
      return { weights, input: tf.reshape(tf.matMul(dz, matrix, false, !isTransposed), x.shape) };
    },
  };
}
