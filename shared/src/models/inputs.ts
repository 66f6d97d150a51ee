import { FEATURES, type ModelDeclaration } from './declaration.js';
import type { Mask } from './layers/merge.js';
import { type ModelFrame, verifyFrame } from './frame.js';
import { refuse, type Shape, shapeText, sizeOf } from './shape.js';

/** One part of a unit's row. */
export interface ResolvedInput {
  readonly name: string;
  readonly shape: Shape;
  readonly mask: Mask;
  /** position of its first value in the row; its mask follows its values */
  readonly offset: number;
  /** numbers of its mask: 0, 1, or one a step */
  readonly maskSize: number;
}

/**
 * Where each input stands in a unit's row.
 *
 * @throws E_MODEL_SHAPE when the inputs do not fill the row that the data give
 */
export function resolveInputs(declaration: ModelDeclaration, frame: ModelFrame): ResolvedInput[] {
  verifyFrame(frame);
  if (!declaration.inputs) {
    return [{ name: FEATURES, shape: frame.inputShape, mask: 'none', offset: 0, maskSize: 0 }];
  }
  let offset = 0;
  const inputs = declaration.inputs.map(({ name, shape, mask }): ResolvedInput => {
    const maskSize = { none: 0, unit: 1, steps: shape[0] ?? 1 }[mask];
    const at = offset;
    offset += sizeOf(shape) + maskSize;
    return { name, shape, mask, offset: at, maskSize };
  });
  if (sizeOf(frame.inputShape) !== offset) {
    refuse(
      { name: 'inputs', path: 'model.inputs' },
      `take ${offset} numbers of a unit with their masks, the data have ${shapeText(frame.inputShape)}`,
    );
  }
  return inputs;
}
