import { z } from 'zod';
import { type LayerWeight, mismatch, type Place, refuse, type Shape, shapeText, sizeOf } from '../shape.js';

/**
 * How a block that reads several others puts them together.
 *
 * `concat` joins the last dimensions, `add` sums. `masked-mean` is the mean over the encoders whose omic a unit has;
 * `gated` a softmax over them of h·w + b. A unit without any of them gives zeros.
 */
export const mergeSchema = z.enum(['concat', 'add', 'masked-mean', 'gated']);
export type Merge = z.output<typeof mergeSchema>;

/** One source of a merge. */
export interface MergeSource {
  readonly name: string;
  readonly shape: Shape;
  /** what the data may lack: nothing, whole units, or steps at the end */
  readonly mask: Mask;
}

/** What a value may lack: nothing, whole units (an absent omic), or steps (padding). */
export type Mask = 'none' | 'unit' | 'steps';

/** Shape and weights of a merge. @throws E_MODEL_SHAPE naming the sources and their shapes */
export function inferMerge(
  merge: Merge,
  sources: readonly MergeSource[],
  place: Place,
): { outputShape: Shape; mask: Mask; weights: LayerWeight[] } {
  const [first] = sources;
  if (first === undefined) refuse(place, 'merges nothing');
  const leading = merge === 'concat' ? first.shape.slice(0, -1) : first.shape;
  for (const { name, shape, mask } of sources) {
    const fits = merge === 'concat' ? shape.slice(0, -1) : shape;
    if (shape.length !== first.shape.length || shapeText(fits) !== shapeText(leading)) {
      refuse(
        place,
        `${merge} of ${first.name} ${shapeText(first.shape)} and ${name} ${shapeText(shape)}: sizes differ`,
      );
    }
    checkMask(merge, name, mask, first.mask, place);
  }
  return merge === 'gated' ? gated(sources, first.shape, place) : plain(merge, sources, first);
}

function checkMask(merge: Merge, name: string, mask: Mask, first: Mask, place: Place): void {
  const skips = merge === 'masked-mean' || merge === 'gated';
  if (mask === 'unit' && !skips) {
    refuse(place, `${name} may be absent: ${merge} would take zeros for it; use masked-mean or gated`);
  }
  if (mask === 'steps' && (skips || first !== 'steps')) {
    refuse(place, `${name} is padded: ${merge} cannot leave its padding out; pool or attend first`);
  }
}

function plain(merge: Merge, sources: readonly MergeSource[], first: MergeSource) {
  const width = sources.reduce((n, { shape }) => n + (shape.at(-1) ?? 1), 0);
  const outputShape = merge === 'concat' ? [...first.shape.slice(0, -1), width] : first.shape;
  const mask: Mask = first.mask === 'steps' ? 'steps' : 'none';
  return { outputShape, mask, weights: [] };
}

function gated(sources: readonly MergeSource[], shape: Shape, place: Place) {
  if (shape.length !== 1) mismatch(place, shape, ['features']);
  const weights = sources.flatMap(({ name }): LayerWeight[] => [
    { role: `${name}/kernel`, shape: [sizeOf(shape), 1], init: 'glorot-uniform' },
    { role: `${name}/bias`, shape: [1], init: 'zeros' },
  ]);
  return { outputShape: shape, mask: 'none' as const, weights };
}
