import type { Tensor } from '@tensorflow/tfjs-core';
import { maxPool1d } from './max-pool1d.js';
import type { LayerPass, PassContext } from './op.js';
import { pool2d } from './pool2d.js';

/**
 * Largest of each window of size × size, stride `size`; rows and columns that fill no window are dropped.
 *
 * First along the columns of each row, then along the rows: of equal maxima the first one, read row by row, gets the
 * gradient.
 *
 * @param x [batch, rows, columns, channels]
 * @returns output [batch, ⌊rows/size⌋, ⌊columns/size⌋, channels]
 */
export function maxPool2d(x: Tensor, size: number, context: PassContext): LayerPass {
  return pool2d(x, (sequence) => maxPool1d(sequence, size, context));
}
