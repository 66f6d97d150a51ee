import { RegulonError } from '../errors/index.js';
import type { ModelDeclaration } from './declaration.js';
import type { ModelFrame } from './frame.js';
import { type Loss, targetSizeOf } from './losses.js';
import { refuse, type Shape, shapeText, sizeOf } from './shape.js';

/** What a head needs to know of a block. */
interface SizedBlock {
  readonly name: string;
  readonly outputShape: Shape;
  readonly layers: readonly { readonly name: string }[];
}

/** An output of a model: a slice of the row that it gives for a unit, and of the row of its targets. */
export interface ResolvedHead {
  readonly block: string;
  readonly shape: Shape;
  readonly offset: number;
  readonly size: number;
  /** absent: the loss of the task */
  readonly loss?: Loss;
  readonly weight: number;
  readonly targetOffset: number;
  /** numbers of its target; absent with the loss */
  readonly targetSize?: number;
}

/**
 * The outputs of a model: the declared heads, or its last block.
 *
 * @throws E_MODEL_SHAPE when an output has not the width that the task or its loss asks for
 */
export function resolveHeads(
  declaration: ModelDeclaration,
  frame: ModelFrame,
  blocks: readonly SizedBlock[],
): ResolvedHead[] {
  if (!declaration.heads) return [taskHead(frame, blocks)];
  let offset = 0;
  let targetOffset = 0;
  return declaration.heads.map((head, index): ResolvedHead => {
    const place = { name: `head ${head.block}`, path: `model.heads[${index}]` };
    const block = blocks.find(({ name }) => name === head.block);
    if (!block) refuse(place, 'there is no such block');
    const shape = block.outputShape;
    const outputs = head.outputs ?? frame.outputs;
    if (shape.at(-1) !== outputs) refuse(place, `gets ${shapeText(shape)}, needs ${outputs} outputs`);
    const targetSize = targetSizeOf(head.loss, shape, place);
    const at = { offset, targetOffset };
    offset += sizeOf(shape);
    targetOffset += targetSize;
    const { loss, weight } = head;
    return { block: head.block, shape, size: sizeOf(shape), loss, weight, targetSize, ...at };
  });
}

function taskHead(frame: ModelFrame, blocks: readonly SizedBlock[]): ResolvedHead {
  const block = blocks.at(-1);
  const shape = block?.outputShape ?? frame.inputShape;
  if (shape.at(-1) !== frame.outputs) {
    const last = block?.layers.at(-1)?.name ?? block?.name ?? 'model';
    throw new RegulonError(
      'E_MODEL_SHAPE',
      `${last} (model.blocks[${blocks.length - 1}]): the task needs ${frame.outputs} outputs, the model ends with ${shapeText(shape)}`,
      { hint: 'end the model with {type: dense, units: outputs}' },
    );
  }
  return { block: block?.name ?? '', shape, offset: 0, size: sizeOf(shape), weight: 1, targetOffset: 0 };
}
