import { z } from 'zod';
import { type Inferred, mismatch, type Place, type Shape, sizeOf, vector } from '../shape.js';
import { fileDigest, size } from './schema.js';

/** One vector of everything. */
export const flattenSchema = z.strictObject({ type: z.literal('flatten') });

/** Another shape of the same elements, row by row. */
export const reshapeSchema = z.strictObject({
  type: z.literal('reshape'),
  shape: z.array(size(10_000_000)).min(1).max(3),
});

/** A vector as `count` tokens of neighbouring features; the last one is filled up with zeros. */
export const tokensSchema = z.strictObject({ type: z.literal('tokens'), count: size(65_536) });

/**
 * A vector of genes on a grid [rows, columns, 1].
 *
 * Without a layout the genes stand row by row in their order; with one, where the file says (see docs/models.md).
 * Places without a gene are zero.
 */
export const geneGridSchema = z.strictObject({
  type: z.literal('gene-grid'),
  rows: size(4096),
  columns: size(4096),
  layout: fileDigest.optional(),
});

export function inferFlatten(shape: Shape): Inferred {
  return { inputShape: shape, outputShape: [sizeOf(shape)], weights: [], mask: 'refuses' };
}

export function inferReshape(layer: { shape: number[] }, shape: Shape, place: Place): Inferred {
  if (sizeOf(shape) !== sizeOf(layer.shape)) mismatch(place, shape, layer.shape);
  return { inputShape: shape, outputShape: layer.shape, weights: [], mask: 'refuses' };
}

export function inferTokens({ count }: { count: number }, shape: Shape, place: Place): Inferred {
  const features = vector(place, shape);
  if (features < count) mismatch(place, shape, [`${count} or more features`]);
  return {
    inputShape: shape,
    outputShape: [count, Math.ceil(features / count)],
    weights: [],
    mask: 'refuses',
  };
}

export function inferGeneGrid(layer: z.output<typeof geneGridSchema>, shape: Shape, place: Place): Inferred {
  const { rows, columns } = layer;
  if (vector(place, shape) > rows * columns) mismatch(place, shape, [`${rows * columns} or fewer genes`]);
  return { inputShape: shape, outputShape: [rows, columns, 1], weights: [], mask: 'refuses' };
}
