import { z } from 'zod';
import { type Inferred, type LayerWeight, type Shape, sizeOf } from '../shape.js';
import { activation, kernelInit, size } from './schema.js';

/** y = activation(x·W + b) over the last dimension. */
export const denseSchema = z.strictObject({
  type: z.literal('dense'),
  /** last dimension: a number, or `outputs` for the width that the task or the head asks for */
  units: z.union([size(1_000_000), z.literal('outputs')]),
  activation,
  init: kernelInit,
});

/** y = activation(x·Wᵀ + b), where W is the kernel of an earlier dense layer, `<block>/<position>`. */
export const tiedDenseSchema = z.strictObject({
  type: z.literal('dense-tied'),
  of: z.string().regex(/^[a-z][a-z0-9-]{0,31}\/\d{1,2}$/, 'block/position of a dense layer, e.g. encoder/0'),
  activation,
});

export function inferDense(layer: z.output<typeof denseSchema>, shape: Shape, outputs: number): Inferred {
  const width = layer.units === 'outputs' ? outputs : layer.units;
  const weights: LayerWeight[] = [
    { role: 'kernel', shape: [shape.at(-1) ?? 1, width], init: layer.init },
    { role: 'bias', shape: [width], init: 'zeros' },
  ];
  return { inputShape: shape, outputShape: [...shape.slice(0, -1), width], weights, mask: 'keeps' };
}

/** @param width input width of the layer whose kernel is used */
export function inferTiedDense(shape: Shape, width: number): Inferred {
  return {
    inputShape: shape,
    outputShape: [...shape.slice(0, -1), width],
    weights: [{ role: 'bias', shape: [width], init: 'zeros' }],
    mask: 'keeps',
  };
}

/** Mean and log variance of a Gaussian code; outside of training its mean. @see Kingma & Welling 2014 */
export const gaussianCodeSchema = z.strictObject({
  type: z.literal('gaussian-code'),
  units: size(65_536),
  /** factor of the Kullback–Leibler term, per unit */
  klWeight: z.number().min(0).max(1e6).default(1),
});

export function inferGaussianCode({ units }: { units: number }, shape: Shape): Inferred {
  const width = sizeOf(shape);
  const weights = ['mean', 'log-variance'].flatMap((part): LayerWeight[] => [
    { role: `${part}/kernel`, shape: [width, units], init: 'glorot-uniform' },
    { role: `${part}/bias`, shape: [units], init: 'zeros' },
  ]);
  return { inputShape: [width], outputShape: [units], weights, mask: 'refuses', scratch: 4 * units };
}
