import { z } from 'zod';
import { mismatch, type Place, type Shape, sizeOf } from './shape.js';

/**
 * What a head is trained on. Every loss is a sum over targets that are present, beside their number; a target that is
 * missing is NaN (a class: negative) and adds nothing to either.
 */
export const lossSchema = z.discriminatedUnion('type', [
  /** softmax over the last dimension; one class a step */
  z.strictObject({
    type: z.literal('cross-entropy'),
    /** factor of each class, e.g. from summed counts */
    classWeights: z.array(z.number().min(0).max(1e6)).min(2).max(4096).optional(),
    /** share of the probability that is spread evenly over all classes. @see Szegedy et al. 2016 */
    smoothing: z.number().min(0).max(0.5).default(0),
  }),
  /** one yes or no for each output */
  z.strictObject({
    type: z.literal('binary-cross-entropy'),
    positiveWeight: z.number().positive().max(1e6).default(1),
  }),
  /** as binary cross-entropy, times (1 − p)^gamma of the true answer. @see Lin et al. 2017 */
  z.strictObject({ type: z.literal('focal'), gamma: z.number().min(0).max(10).default(2) }),
  z.strictObject({ type: z.literal('squared-error') }),
  z.strictObject({ type: z.literal('absolute-error') }),
  /** square up to delta, straight beyond. @see Huber 1964 */
  z.strictObject({ type: z.literal('huber'), delta: z.number().positive().max(1e6).default(1) }),
  /** counts; the output is the logarithm of the rate */
  z.strictObject({ type: z.literal('poisson') }),
  /** partial likelihood within the batch, stratified by site; target: time, event. @see Cox 1972 */
  z.strictObject({ type: z.literal('cox'), ties: z.enum(['breslow', 'efron']).default('efron') }),
  /** hazard of each interval (…, edges[k]]; target: time, event. @see Gensheimer & Narasimhan 2019 */
  z.strictObject({
    type: z.literal('discrete-time'),
    edges: z
      .array(z.number().positive())
      .min(1)
      .max(256)
      .refine((e) => e.every((x, i) => i === 0 || x > (e[i - 1] ?? 0)), 'edges grow'),
  }),
]);

/** A loss as a plan declares it, defaults filled in. */
export type Loss = z.output<typeof lossSchema>;

/** Numbers of one unit's target. @throws E_MODEL_SHAPE when the loss does not fit the output */
export function targetSizeOf(loss: Loss, shape: Shape, place: Place): number {
  const last = shape.at(-1) ?? 1;
  switch (loss.type) {
    case 'cross-entropy':
      if (last < 2) mismatch(place, shape, ['2 or more classes']);
      if (loss.classWeights && loss.classWeights.length !== last) {
        mismatch(place, shape, [`${loss.classWeights.length} classes, one a weight`]);
      }
      return sizeOf(shape) / last;
    case 'cox':
      if (sizeOf(shape) !== 1) mismatch(place, shape, [1]);
      return 2;
    case 'discrete-time':
      if (sizeOf(shape) !== loss.edges.length) mismatch(place, shape, [loss.edges.length]);
      return 2;
    case 'binary-cross-entropy':
    case 'focal':
    case 'squared-error':
    case 'absolute-error':
    case 'huber':
    case 'poisson':
      return sizeOf(shape);
  }
}
