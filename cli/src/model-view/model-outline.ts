import { hex } from '@regulon/shared/crypto';
import {
  activationSizeOf,
  CATALOGUE_VERSION,
  type LayerDeclaration,
  manifestDigest,
  manifestOf,
  type ModelFrame,
  resolveModel,
  sizeOf,
  type WeightSpec,
} from '@regulon/shared/models';
import type { Plan } from '@regulon/shared/plan';

/** One layer, or one merge, of a described model. */
export interface LayerRow {
  /** `<block>/<position>-<type>`, as errors name it */
  readonly layer: string;
  readonly block: string;
  /** what it does, in the field's words */
  readonly what: string;
  readonly outputShape: readonly number[];
  readonly parameters: number;
  /** bytes that one upload of a site takes for it */
  readonly wireBytes: number;
  /** `frozen`, `local`, a factor of the learning rate, or null */
  readonly note: string | null;
}

/** An arrow from one node of the graph to another, by name. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
}

/** What a plan's model looks like once its shapes are known. */
export interface ModelOutline {
  readonly plan: string;
  readonly catalogue: number;
  readonly inputs: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly mask: string;
  }[];
  readonly layers: readonly LayerRow[];
  readonly heads: readonly {
    readonly block: string;
    readonly shape: readonly number[];
    readonly loss: string;
  }[];
  /** between inputs, layers and heads (`head/<block>`) */
  readonly arrows: readonly Arrow[];
  readonly parameters: number;
  readonly wireBytes: number;
  /** float32 numbers that one unit takes in memory while training */
  readonly activationsPerUnit: number;
  /** digest of the weight manifest */
  readonly manifest: string;
}

/**
 * Describe a plan's model.
 *
 * @param frame shape of a prepared unit, and the outputs of the task
 * @throws E_MODEL_SHAPE naming the layer, its path and both shapes
 */
export function modelOutlineOf(plan: Plan, frame: ModelFrame): ModelOutline {
  const model = resolveModel(plan.model, frame);
  const specs = manifestOf(plan.model, frame);
  const layers = model.blocks.flatMap(({ declaration, merge, layers: own }) => [
    ...(merge ? [rowOf({ ...merge, block: declaration.name }, `${merge.kind} of blocks`, specs)] : []),
    ...own.map((layer) => rowOf(layer, wordsOf(layer.declaration), specs)),
  ]);
  const total = (of: (row: LayerRow) => number): number => layers.reduce((sum, row) => sum + of(row), 0);
  return {
    plan: plan.name,
    catalogue: CATALOGUE_VERSION,
    inputs: model.inputs.map(({ name, shape, mask }) => ({ name, shape, mask })),
    layers,
    heads: model.heads.map(({ block, shape, loss }) => ({
      ...{ block, shape, loss: loss?.type ?? lossOfTask(plan.task) },
    })),
    arrows: arrowsOf(model),
    parameters: total((row) => row.parameters),
    wireBytes: total((row) => row.wireBytes),
    activationsPerUnit: activationSizeOf(model) + sizeOf(frame.inputShape),
    manifest: `sha256:${hex(manifestDigest(specs))}`,
  };
}

const lossOfTask = (task: Plan['task']): string => (task === 'classify' ? 'cross-entropy' : 'squared-error');

function rowOf(
  { name, block, outputShape }: { name: string; block: string; outputShape: readonly number[] },
  what: string,
  specs: readonly WeightSpec[],
): LayerRow {
  const own = specs.filter((spec) => spec.name.startsWith(`${name}/`));
  const count = (list: readonly WeightSpec[]): number => list.reduce((n, { size }) => n + size, 0);
  const travelling = own.filter(({ aggregate }) => aggregate !== 'local');
  const note = own[0] ? noteOf(own[0], own) : null;
  return {
    ...{ layer: name, block, what, outputShape, note },
    parameters: count(own),
    wireBytes: 4 * count(travelling),
  };
}

function noteOf({ aggregate, rate }: WeightSpec, own: readonly WeightSpec[]): string | null {
  if (aggregate === 'local') return 'local';
  if (aggregate === 'owners') return 'owners only';
  if (own.every(({ trainable }) => !trainable)) return 'frozen';
  return rate === 1 ? null : `rate × ${rate}`;
}

/** What a layer does, short: its type, its numbers, its activation. */
function wordsOf(layer: LayerDeclaration): string {
  const { type, ...options } = layer;
  const words = Object.entries(options).flatMap(([key, value]): string[] => {
    if (value === false || value === 'linear' || key === 'init' || key === 'epsilon') return [];
    if (value === true) return [key];
    if (typeof value === 'string')
      return [value.startsWith('sha256:') ? `${key} ${value.slice(7, 15)}` : value];
    const text = Array.isArray(value) ? value.join('×') : String(value);
    return key === 'units' || key === 'shape' ? [text] : [`${key} ${text}`];
  });
  return [type, ...words.filter((word) => word !== 'valid' && !/^(stride|dilation) 1$/.test(word))].join(' ');
}

function arrowsOf(model: ReturnType<typeof resolveModel>): Arrow[] {
  /** last node of each input and block */
  const ends = new Map(model.inputs.map(({ name }) => [name, name]));
  const arrows: Arrow[] = [];
  for (const { name, sources, merge, layers } of model.blocks) {
    let before = sources.map((source) => ends.get(source) ?? source);
    for (const node of [...(merge ? [merge] : []), ...layers]) {
      arrows.push(...before.map((from) => ({ from, to: node.name })));
      before = [node.name];
    }
    ends.set(name, before[0] ?? name);
  }
  return [
    ...arrows,
    ...model.heads.map(({ block }) => ({ from: ends.get(block) ?? block, to: `head/${block}` })),
  ];
}
