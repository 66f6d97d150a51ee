import { z } from 'zod';
import type { Inferred, Shape } from '../shape.js';
import { activation } from './schema.js';

const rate = z.number().min(0).max(0.95);

/** The same activation for every element. */
export const activationSchema = z.strictObject({
  type: z.literal('activation'),
  function: activation.unwrap(),
});
/** Drops elements and scales the rest up; only while training. */
export const dropoutSchema = z.strictObject({ type: z.literal('dropout'), rate });
/** Sets elements to zero without scaling the rest: the corruption of a denoising autoencoder; only while training. */
export const maskingNoiseSchema = z.strictObject({ type: z.literal('masking-noise'), rate });
/** Adds N(0, sd²); only while training. */
export const gaussianNoiseSchema = z.strictObject({
  type: z.literal('gaussian-noise'),
  sd: z.number().min(0).max(100),
});

/** Layers without weights that change no shape. */
export function inferElementwise(shape: Shape): Inferred {
  return { inputShape: shape, outputShape: shape, weights: [], mask: 'keeps' };
}
