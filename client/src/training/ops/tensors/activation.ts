import * as tf from '@tensorflow/tfjs-core';
import type { Activation } from '@regulon/shared/models';

/** activation(z + bias). */
export function activated(z: tf.Tensor, bias: tf.Tensor | undefined, activation: Activation): tf.Tensor {
  const sum = bias ? tf.add(z, bias) : z;
  switch (activation) {
    case 'linear':
      return sum;
    case 'relu':
      return tf.relu(sum);
    case 'tanh':
      return tf.tanh(sum);
    case 'sigmoid':
      return tf.sigmoid(sum);
  }
}

/** gradient · activation′, where the derivative follows from the activated value y. */
export function throughActivated(y: tf.Tensor, gradient: tf.Tensor, activation: Activation): tf.Tensor {
  switch (activation) {
    case 'linear':
      return gradient;
    case 'relu':
      return tf.mul(gradient, tf.cast(tf.greater(y, 0), 'float32'));
    case 'tanh':
      return tf.mul(gradient, tf.sub(1, tf.square(y)));
    case 'sigmoid':
      return tf.mul(gradient, tf.mul(y, tf.sub(1, y)));
  }
}
