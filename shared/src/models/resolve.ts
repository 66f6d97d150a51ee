import type { BlockDeclaration, ModelDeclaration } from './declaration.js';
import { inferLayer, type LayerDeclaration, type LayerPlace } from './layers/index.js';
import { inferMerge, type Mask, type MergeSource } from './layers/merge.js';
import type { ModelFrame } from './frame.js';
import { resolveHeads } from './heads.js';
import { resolveInputs } from './inputs.js';
import type { ResolvedBlock, ResolvedLayer, ResolvedMerge, ResolvedModel } from './resolved.js';
import { type Place, refuse, type Shape, shapeText } from './shape.js';
import { sourcesOf } from './sources.js';

interface Value {
  readonly shape: Shape;
  readonly mask: Mask;
}

/**
 * Infer every shape of a model.
 *
 * @throws E_MODEL_SHAPE naming the layer, its path in the plan, the shape it gets and the one it needs
 */
export function resolveModel(declaration: ModelDeclaration, frame: ModelFrame): ResolvedModel {
  const inputs = resolveInputs(declaration, frame);
  const values = new Map<string, Value>(inputs.map(({ name, shape, mask }) => [name, { shape, mask }]));
  const layers = new Map<string, ResolvedLayer>();
  const blocks: ResolvedBlock[] = [];
  for (const [index, block] of declaration.blocks.entries()) {
    const sources = mergedBy(declaration, index, values);
    const outputs = declaration.heads?.find((head) => head.block === block.name)?.outputs ?? frame.outputs;
    const merged = mergeOf(block, index, sources);
    const resolved = resolveBlock(block, index, merged.value, outputs, layers);
    values.set(block.name, resolved.value);
    blocks.push({
      ...{ name: block.name, declaration: block, sources: sources.map(({ name }) => name) },
      ...(merged.merge ? { merge: merged.merge } : {}),
      ...{ layers: resolved.layers, outputShape: resolved.value.shape },
    });
  }
  return { inputs, blocks, heads: resolveHeads(declaration, frame, blocks) };
}

function mergedBy(
  declaration: ModelDeclaration,
  index: number,
  values: ReadonlyMap<string, Value>,
): MergeSource[] {
  const block = declaration.blocks[index];
  const place: Place = { name: block?.name ?? '', path: `model.blocks[${index}]` };
  const names = sourcesOf(declaration, index);
  if (block?.from === undefined && names.length > 1) {
    refuse(place, `the model has ${names.length} inputs: say which one by from`);
  }
  return names.map((name) => {
    const value = values.get(name);
    if (!value) refuse(place, `reads ${name}, which is no input and no block before it`);
    return { name, ...value };
  });
}

function mergeOf(
  block: BlockDeclaration,
  index: number,
  sources: readonly MergeSource[],
): { value: Value; merge?: ResolvedMerge } {
  const place: Place = { name: `${block.name}/merge`, path: `model.blocks[${index}].merge` };
  const [only] = sources;
  if (block.merge === undefined) {
    if (only === undefined || sources.length > 1) {
      refuse(place, `${sources.length} sources need a merge: concat, add, masked-mean or gated`);
    }
    return { value: only };
  }
  const { outputShape, mask, weights } = inferMerge(block.merge, sources, place);
  const merge = { name: place.name, kind: block.merge, outputShape, weights };
  return { value: { shape: outputShape, mask }, merge };
}

function resolveBlock(
  block: BlockDeclaration,
  index: number,
  start: Value,
  outputs: number,
  known: Map<string, ResolvedLayer>,
): { layers: ResolvedLayer[]; value: Value } {
  let { shape, mask } = start;
  const layers: ResolvedLayer[] = [];
  for (const [position, declaration] of block.layers.entries()) {
    const place: LayerPlace = {
      name: `${block.name}/${position}-${declaration.type}`,
      path: `model.blocks[${index}].layers[${position}]`,
      outputs,
      widthOf: (of) => tiedWidth(of, shape, known, place),
    };
    const layer = resolveLayer(block, declaration, { shape, mask }, place);
    const tied = declaration.type === 'dense-tied' ? known.get(declaration.of) : undefined;
    const resolved = { ...layer, ...(tied ? { tiedTo: tied.name } : {}) };
    layers.push(resolved);
    known.set(`${block.name}/${position}`, resolved);
    shape = layer.outputShape;
    if (mask === 'steps' && !layer.keepsMask) mask = 'none';
  }
  return { layers, value: { shape, mask } };
}

function resolveLayer(
  block: BlockDeclaration,
  declaration: LayerDeclaration,
  { shape, mask }: Value,
  place: LayerPlace,
): ResolvedLayer {
  if (declaration.type === 'batch-norm' && block.aggregate !== 'local') {
    refuse(place, 'batch statistics of sites are not averaged: set aggregate: local, or use group-norm');
  }
  const inferred = inferLayer(declaration, shape, place);
  if (mask === 'steps' && inferred.mask === 'refuses') {
    refuse(place, `gets a padded sequence ${shapeText(shape)}: pool, attend or take the last state first`);
  }
  const { inputShape, outputShape, weights, scratch = 0 } = inferred;
  const keepsMask = inferred.mask === 'keeps';
  return {
    ...{ block: block.name, name: place.name, declaration, inputShape, outputShape, weights, scratch },
    keepsMask,
  };
}

function tiedWidth(
  of: string,
  shape: Shape,
  known: ReadonlyMap<string, ResolvedLayer>,
  place: Place,
): number {
  const layer = known.get(of);
  const [kernel] = layer?.weights ?? [];
  if (layer?.declaration.type !== 'dense' || !kernel)
    refuse(place, `${of} is no dense layer before this one`);
  const [width = 1, out = 1] = kernel.shape;
  if (shape.at(-1) !== out) {
    refuse(place, `gets ${shapeText(shape)}, needs ${shapeText([...shape.slice(0, -1), out])} of ${of}`);
  }
  return width;
}
