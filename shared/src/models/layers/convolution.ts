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

/** Convolution over the steps of a sequence. */
export const conv1dSchema = z.strictObject({
  type: z.literal('conv1d'),
  filters: size(4096),
  kernel: size(1024),
  stride: size(1024).default(1),
  dilation: size(1024).default(1),
  /** `same`: zeros at both ends, as many steps out as in; with stride 1 */
  padding,
  activation,
  init: kernelInit,
});

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
  const { kernel, stride, dilation, filters } = layer;
  const reach = (kernel - 1) * dilation + 1;
  const same = layer.padding === 'same';
  if (same && stride !== 1) mismatch(place, [stride], ['a stride of 1 with padding same']);
  if (!same && steps < reach) mismatch(place, [steps, channels], [`${reach} or more steps`, channels]);
  const out = same ? steps : Math.floor((steps - reach) / stride) + 1;
  return {
    inputShape: [steps, channels],
    outputShape: [out, filters],
    weights: kernelAndBias([kernel, channels, filters], layer.init),
    mask: 'keeps',
  };
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
