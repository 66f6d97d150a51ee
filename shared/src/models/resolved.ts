import type { BlockDeclaration } from './declaration.js';
import type { ResolvedHead } from './heads.js';
import type { ResolvedInput } from './inputs.js';
import type { LayerDeclaration } from './layers/index.js';
import type { Merge } from './layers/merge.js';
import { type LayerWeight, type Shape, sizeOf } from './shape.js';

/** A layer whose shapes are known. Shapes have no batch dimension. */
export interface ResolvedLayer {
  readonly block: string;
  /** `<block>/<position in the block>-<type>`, unique in the model */
  readonly name: string;
  readonly declaration: LayerDeclaration;
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  readonly weights: readonly LayerWeight[];
  /** numbers kept for the way back of one unit, beside the output */
  readonly scratch: number;
  /** the layer whose kernel comes before the own weights */
  readonly tiedTo?: string;
  /** a mask that comes in goes on with the output */
  readonly keepsMask: boolean;
}

/** Several sources put together at the beginning of a block. */
export interface ResolvedMerge {
  readonly name: string;
  readonly kind: Merge;
  readonly outputShape: Shape;
  readonly weights: readonly LayerWeight[];
}

/** A block whose shapes are known. */
export interface ResolvedBlock {
  readonly name: string;
  readonly declaration: BlockDeclaration;
  /** names of inputs or earlier blocks */
  readonly sources: readonly string[];
  readonly merge?: ResolvedMerge;
  readonly layers: readonly ResolvedLayer[];
  readonly outputShape: Shape;
}

/** A model whose shapes are known: what every size and every pass follows from. */
export interface ResolvedModel {
  readonly inputs: readonly ResolvedInput[];
  readonly blocks: readonly ResolvedBlock[];
  readonly heads: readonly ResolvedHead[];
}

/** Numbers that one unit takes in a forward pass: outputs and what the way back keeps. */
export function activationSizeOf({ blocks }: ResolvedModel): number {
  const ofBlock = ({ merge, layers }: ResolvedBlock): number =>
    layers.reduce(
      (n, layer) => n + sizeOf(layer.outputShape) + layer.scratch,
      merge ? sizeOf(merge.outputShape) : 0,
    );
  return blocks.reduce((n, block) => n + ofBlock(block), 0);
}
