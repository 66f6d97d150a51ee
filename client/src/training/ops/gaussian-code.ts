import * as tf from '@tensorflow/tfjs-core';
import { affine, gradientsOf } from './composed.js';
import { normals } from './noise.js';
import type { LayerPass, PassContext } from './op.js';

/**
 * The code of a variational autoencoder: z = μ + e^(s/2)·ε with ε from N(0, 1), and the divergence of N(μ, e^s) from
 * N(0, 1) as part of the loss; outside of training z = μ and no part.
 *
 * @param x [batch, features]
 * @param weights of μ and of s: kernel [features, units], bias [units]
 * @param layer name of the layer, for its random numbers
 * @see Kingma & Welling 2014, appendix B
 */
export function gaussianCode(
  x: tf.Tensor,
  weights: readonly tf.Tensor[],
  { klWeight }: { klWeight: number },
  layer: string,
  context: PassContext,
): LayerPass {
  const { backend, training } = context;
  const [batch = 1] = x.shape;
  const units = weights[1]?.size ?? 1;
  const noise = training ? noiseOf([batch, units], layer, context) : undefined;
  const parts = ([a, wm, bm, ws, bs]: readonly tf.Tensor[]) => ({
    mean: affine(a!, wm!, bm!, backend),
    logVariance: affine(a!, ws!, bs!, backend),
  });
  const inputs = [x, ...weights];
  const { mean, logVariance } = parts(inputs);
  return {
    output: noise ? sampled(mean, logVariance, noise) : mean,
    penalty: training ? klWeight * backend.view(divergence(mean, logVariance))[0]! : 0,
    backward(gradient) {
      const loss = (all: readonly tf.Tensor[]): tf.Tensor => {
        const at = parts(all);
        if (!noise) return tf.sum(tf.mul(tf.add(at.mean, tf.mul(at.logVariance, 0)), gradient));
        const outer = tf.sum(tf.mul(sampled(at.mean, at.logVariance, noise), gradient));
        return tf.add(outer, tf.mul(divergence(at.mean, at.logVariance), klWeight));
      };
      const [input, ...rest] = gradientsOf(loss, inputs, tf.scalar(1));
      return { input: input!, weights: rest };
    },
  };
}

function sampled(mean: tf.Tensor, logVariance: tf.Tensor, noise: tf.Tensor): tf.Tensor {
  return tf.add(mean, tf.mul(tf.exp(tf.mul(logVariance, 0.5)), noise));
}

/** Σ over batch and units of ½(μ² + e^s − s − 1). */
function divergence(mean: tf.Tensor, logVariance: tf.Tensor): tf.Tensor {
  const terms = tf.sub(tf.sub(tf.add(tf.square(mean), tf.exp(logVariance)), logVariance), 1);
  return tf.mul(tf.sum(terms), 0.5);
}

function noiseOf(
  shape: readonly [number, number],
  layer: string,
  { backend, randomOf }: PassContext,
): tf.Tensor {
  const normal = normals(randomOf(layer));
  const tensor = backend.allocate(shape);
  const values = Float32Array.from({ length: tensor.size }, normal);
  backend.view(tensor).set(values);
  return tensor;
}
