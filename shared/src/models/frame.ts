import { RegulonError } from '../errors/index.js';
import { type Shape, shapeText } from './shape.js';

/** What the prepared data and the task ask of a model. */
export interface ModelFrame {
  /** shape of one unit: [genes] or [steps, channels]; with declared inputs the row that holds them, [n] */
  readonly inputShape: Shape;
  /** width of the task's output: number of classes, of genes, or 1 */
  readonly outputs: number;
}

/** Refuse a frame that is none. @throws E_MODEL_SHAPE */
export function verifyFrame({ inputShape, outputs }: ModelFrame): void {
  if (inputShape.length < 1 || [...inputShape, outputs].some((n) => !Number.isSafeInteger(n) || n < 1)) {
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `the data has shape ${shapeText(inputShape)} and ${outputs} outputs`,
    );
  }
}
