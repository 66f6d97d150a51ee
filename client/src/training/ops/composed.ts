import * as tf from '@tensorflow/tfjs-core';
import type { TrainingBackend } from '../backends/backend.js';
import { registerCoreGradients } from './core-gradients.js';
import type { LayerPass } from './op.js';

registerCoreGradients();

/** A function of several tensors and its way back, derived from its way there. */
export interface Composed {
  readonly output: tf.Tensor;
  /** @returns gradient by each of the inputs */
  backward(gradient: tf.Tensor): tf.Tensor[];
}

/**
 * A function in differentiable operations.
 *
 * The way back runs the function a second time: right and short, not fast. What a profile names gets a kernel.
 */
export function composed(
  of: (inputs: readonly tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
): Composed {
  return { output: of(inputs), backward: (gradient) => gradientsOf(of, inputs, gradient) };
}

/** A layer in differentiable operations. */
export function composedLayer(
  layer: (x: tf.Tensor, weights: readonly tf.Tensor[]) => tf.Tensor,
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
): LayerPass {
  return {
    output: layer(x, weights),
    backward(gradient, wantsInput) {
      if (!wantsInput) return { weights: gradientsOf((w) => layer(x, w), weights, gradient) };
      const [input, ...rest] = gradientsOf(([a, ...w]) => layer(a!, w), [x, ...weights], gradient);
      return { input: input!, weights: rest };
    },
  };
}

/** Vector–Jacobian product of a function of several tensors; each gradient has the shape of its tensor. */
export function gradientsOf(
  of: (inputs: readonly tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  gradient: tf.Tensor,
): tf.Tensor[] {
  if (inputs.length === 0) return [];
  return tf.grads((...all: tf.Tensor[]) => of(all))([...inputs], gradient);
}

/** a·b in the backend's own product, both ways; a [m, k], b [k, n]. */
export function product(a: tf.Tensor, b: tf.Tensor, backend: TrainingBackend): tf.Tensor {
  const multiply = tf.customGrad((...all) => {
    const [left, right, save] = all as [tf.Tensor, tf.Tensor, tf.GradSaveFunc];
    save([left, right]);
    return {
      value: backend.gemm(left, right),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => [
        backend.gemm(dy, saved[1]!, { b: true }),
        backend.gemm(saved[0]!, dy, { a: true }),
      ],
    };
  });
  return multiply(a, b);
}

/** x·W + b over the last dimension of x. */
export function affine(
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  backend: TrainingBackend,
): tf.Tensor {
  const [width = 1, out = 1] = kernel.shape;
  const y = tf.add(product(tf.reshape(x, [-1, width]), kernel, backend), bias);
  return tf.reshape(y, [...x.shape.slice(0, -1), out]);
}
