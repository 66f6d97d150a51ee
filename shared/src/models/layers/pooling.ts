import { z } from 'zod';
import { type Inferred, mismatch, type Place, picture, sequence, type Shape } from '../shape.js';
import { size } from './schema.js';

/** Largest, or mean, of each `size` steps; steps that fill no window are dropped. */
export const pool1dSchemas = [
  z.strictObject({ type: z.literal('max-pool1d'), size: size(1024) }),
  z.strictObject({ type: z.literal('average-pool1d'), size: size(1024) }),
] as const;

/** Largest, or mean, of each window of `size` × `size`; rows and columns that fill no window are dropped. */
export const pool2dSchemas = [
  z.strictObject({ type: z.literal('max-pool2d'), size: size(256) }),
  z.strictObject({ type: z.literal('average-pool2d'), size: size(256) }),
] as const;

/** Largest, or mean, over everything but the channels; padded steps do not take part. */
export const globalPoolSchemas = [
  z.strictObject({ type: z.literal('global-max-pool') }),
  z.strictObject({ type: z.literal('global-average-pool') }),
] as const;

/** Repeats every step; the counterpart of a pool in a decoder. */
export const upsample1dSchema = z.strictObject({ type: z.literal('upsample1d'), size: size(1024) });

export function inferPool1d(layer: { size: number }, given: Shape, place: Place): Inferred {
  const [steps, channels] = sequence(place, given);
  const pooled = Math.floor(steps / layer.size);
  if (pooled < 1) mismatch(place, [steps, channels], [`${layer.size} or more steps`, channels]);
  return { inputShape: [steps, channels], outputShape: [pooled, channels], weights: [], mask: 'keeps' };
}

export function inferPool2d(layer: { size: number }, given: Shape, place: Place): Inferred {
  const [rows, columns, channels] = picture(place, given);
  const pooled = [rows, columns].map((n) => Math.floor(n / layer.size));
  if (pooled.includes(0)) {
    mismatch(place, [rows, columns, channels], [`${layer.size} or more`, `${layer.size} or more`, channels]);
  }
  return {
    inputShape: [rows, columns, channels],
    outputShape: [...pooled, channels],
    weights: [],
    mask: 'refuses',
  };
}

export function inferGlobalPool(shape: Shape, place: Place): Inferred {
  if (shape.length < 2) mismatch(place, shape, ['steps', 'channels']);
  return { inputShape: shape, outputShape: [shape.at(-1) ?? 1], weights: [], mask: 'ends' };
}

export function inferUpsample1d(layer: { size: number }, given: Shape, place: Place): Inferred {
  const [steps, channels] = sequence(place, given);
  return {
    inputShape: [steps, channels],
    outputShape: [steps * layer.size, channels],
    weights: [],
    mask: 'keeps',
  };
}
