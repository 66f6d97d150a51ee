import { z } from 'zod';
import {
  type Inferred,
  type LayerWeight,
  mismatch,
  type Place,
  picture,
  sequence,
  type Shape,
} from '../shape.js';
import { activation, kernelInit, size } from './schema.js';

const padding = z.enum(['valid', 'same']).default('valid');

const alongSteps = {
  kernel: size(1024),
  stride: size(1024).default(1),
  dilation: size(1024).default(1),
  /** `same`: zeros at both ends, as many steps out as in; with stride 1 */
  padding,
  activation,
  init: kernelInit,
};

/** Convolution over the steps of a sequence. */
export const conv1dSchema = z.strictObject({
  type: z.literal('conv1d'),
  filters: size(4096),
  ...alongSteps,
});

/** Each channel by a filter of its own: with a dense layer behind it, a separable convolution. @see Chollet 2017 */
export const depthwiseConv1dSchema = z.strictObject({ type: z.literal('depthwise-conv1d'), ...alongSteps });

/**
 * Motif scanners on both strands of one-hot DNA (A, C, G, T): each filter is read forward and as its reverse
 * complement, and the larger of the two counts. @see Alipanahi et al. 2015 (DeepBind); Shrikumar et al. 2017
 */
export const conv1dStrandsSchema = z.strictObject({
  type: z.literal('conv1d-strands'),
  filters: size(4096),
  kernel: size(1024),
  activation,
  init: kernelInit,
});

/** Convolution over a picture [rows, columns, channels]. */
export const conv2dSchema = z.strictObject({
  type: z.literal('conv2d'),
  filters: size(4096),
  kernel: z.tuple([size(256), size(256)]),
  stride: size(256).default(1),
  padding,
  activation,
  init: kernelInit,
});

const kernelAndBias = (shape: Shape, init: 'glorot-uniform' | 'he-uniform'): LayerWeight[] => [
  { role: 'kernel', shape, init },
  { role: 'bias', shape: [shape.at(-1) ?? 1], init: 'zeros' },
];

export function inferConv1d(layer: z.output<typeof conv1dSchema>, given: Shape, place: Place): Inferred {
  const [steps, channels] = sequence(place, given);
  const { kernel, filters, init } = layer;
  return {
    inputShape: [steps, channels],
    outputShape: [stepsOut(layer, [steps, channels], place), filters],
    weights: kernelAndBias([kernel, channels, filters], init),
    mask: 'keeps',
  };
}

/** Shapes of `depthwise-conv1d`: a filter of its own for each channel. */
export function inferDepthwiseConv1d(
  layer: z.output<typeof depthwiseConv1dSchema>,
  given: Shape,
  place: Place,
): Inferred {
  const [steps, channels] = sequence(place, given);
  return {
    inputShape: [steps, channels],
    outputShape: [stepsOut(layer, [steps, channels], place), channels],
    // one channel in: the bound of the first weights is that of a filter
    weights: kernelAndBias([layer.kernel, 1, channels], layer.init),
    mask: 'keeps',
  };
}

function stepsOut(
  layer: Omit<z.output<typeof depthwiseConv1dSchema>, 'type'>,
  [steps, channels]: readonly [steps: number, channels: number],
  place: Place,
): number {
  const { kernel, stride, dilation } = layer;
  const reach = (kernel - 1) * dilation + 1;
  const same = layer.padding === 'same';
  if (same && stride !== 1) mismatch(place, [stride], ['a stride of 1 with padding same']);
  if (!same && steps < reach) mismatch(place, [steps, channels], [`${reach} or more steps`, channels]);
  return same ? steps : Math.floor((steps - reach) / stride) + 1;
}

export function inferConv1dStrands(
  { kernel, filters, init }: z.output<typeof conv1dStrandsSchema>,
  shape: Shape,
  place: Place,
): Inferred {
  const [steps = 0, channels] = shape;
  if (shape.length !== 2 || channels !== 4 || steps < kernel) {
    mismatch(place, shape, [`${kernel} or more steps`, '4 bases']);
  }
  const out = steps - kernel + 1;
  return {
    inputShape: shape,
    outputShape: [out, filters],
    weights: kernelAndBias([kernel, 4, filters], init),
    mask: 'keeps',
    scratch: 2 * out * filters,
  };
}

export function inferConv2d(layer: z.output<typeof conv2dSchema>, given: Shape, place: Place): Inferred {
  const [rows, columns, channels] = picture(place, given);
  const { kernel, stride, filters } = layer;
  const [high, wide] = kernel;
  const same = layer.padding === 'same';
  if (same && stride !== 1) mismatch(place, [stride], ['a stride of 1 with padding same']);
  if (!same && (rows < high || columns < wide)) {
    mismatch(place, [rows, columns, channels], [`${high} or more rows`, `${wide} or more columns`, channels]);
  }
  const out = [rows - high, columns - wide].map((room) => Math.floor(room / stride) + 1);
  const [outRows = 1, outColumns = 1] = same ? [rows, columns] : out;
  return {
    inputShape: [rows, columns, channels],
    outputShape: [outRows, outColumns, filters],
    weights: kernelAndBias([high, wide, channels, filters], layer.init),
    mask: 'refuses',
  };
}
