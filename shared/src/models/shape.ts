import { RegulonError } from '../errors/index.js';

/** Sizes of one unit, without the batch. */
export type Shape = readonly number[];

/** How a weight starts; see `initialWeights`. */
export type WeightInit = 'glorot-uniform' | 'he-uniform' | 'orthogonal' | 'zeros' | 'ones';

/** A weight of one layer before it has a place in the manifest. */
export interface LayerWeight {
  /** last part of its name, e.g. `kernel` */
  readonly role: string;
  readonly shape: Shape;
  readonly init: WeightInit;
  /** false for a running statistic: no gradient reaches it */
  readonly trainable?: boolean;
}

/** What a layer makes of its input. */
export interface Inferred {
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly weights: readonly LayerWeight[];
  /**
   * What becomes of the mask of a padded sequence: it goes on with the output, ends here because padded steps were left
   * out, or cannot be honoured, so that the layer is refused there.
   */
  readonly mask: 'keeps' | 'ends' | 'refuses';
  /** numbers that the way back keeps for one unit, beside the output */
  readonly scratch?: number;
}

/** Where a layer stands, for errors. */
export interface Place {
  /** `<block>/<position in the block>-<type>`, unique in the model */
  readonly name: string;
  /** path in the plan */
  readonly path: string;
}

/** Number of elements. */
export const sizeOf = (shape: Shape): number => shape.reduce((a, b) => a * b, 1);

/** A shape as people read it. */
export const shapeText = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

/** @throws E_MODEL_SHAPE naming the layer, its path in the plan, and what stands against what */
export function refuse({ name, path }: Place, why: string): never {
  throw new RegulonError('E_MODEL_SHAPE', `${name} (${path}): ${why}`);
}

/** @throws E_MODEL_SHAPE naming the shape that came and the one that is needed */
export function mismatch(place: Place, shape: Shape, needed: readonly (number | string)[]): never {
  refuse(place, `gets ${shapeText(shape)}, needs ${shapeText(needed)}`);
}

/** A sequence [steps, channels]; a vector [n] is read as [n, 1]. */
export function sequence(place: Place, shape: Shape): [steps: number, channels: number] {
  if (shape.length > 2) mismatch(place, shape, ['steps', 'channels']);
  return [shape[0] ?? 1, shape[1] ?? 1];
}

/** A picture [rows, columns, channels]; [rows, columns] is read with one channel. */
export function picture(place: Place, shape: Shape): [rows: number, columns: number, channels: number] {
  const [rows, columns, channels = 1] = shape;
  if (rows === undefined || columns === undefined || shape.length > 3) {
    mismatch(place, shape, ['rows', 'columns', 'channels']);
  }
  return [rows, columns, channels];
}

/** A vector [n]. */
export function vector(place: Place, shape: Shape): number {
  const [n] = shape;
  if (n === undefined || shape.length > 1) mismatch(place, shape, ['features']);
  return n;
}
