import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  activationSizeOf,
  CO_EXPRESSION,
  initialWeights,
  type Loss,
  manifestOf,
  type ModelDeclaration,
  type ModelFrame,
  parameterCount,
  resolveModel,
  type ResolvedModel,
  sizeOf,
  travellingWeights,
  type WeightSpec,
} from '@regulon/shared/models';
import { writeFloat32 } from '../files.js';
import type { MeasureJob, TrainJob } from '../job.js';
import { checkMemory } from '../memory.js';

/** A model, its shapes, and how it is trained: all that the time of a step depends on. */
export interface TimedModel extends Pick<TrainJob, 'batchSize' | 'optimizer'> {
  readonly gradientClip?: number | undefined;
  readonly declaration: ModelDeclaration;
  readonly frame: ModelFrame;
  readonly task: TrainJob['task'];
}

/** Steps that are timed. */
const STEPS = 5;
/** Neighbours of a gene in the graph that stands in for a plan's. */
const NEIGHBOURS = 8;
/** Small enough that no loss runs away on numbers without meaning. */
const LEARNING_RATE = 1e-6;

/**
 * A job that takes as long a step as a model's own: one batch of numbers without meaning.
 *
 * Graphs and layouts that the plan names by digest are replaced by a ring of eight neighbours, and by the order of the
 * genes.
 *
 * @param folder where data and weights are written
 * @throws E_TRAINER_OOM when an estimate is above the limit, before anything is written
 */
export async function madeUpJob(
  model: TimedModel,
  folder: string,
  limits: { readonly memoryLimitMb?: number } = {},
): Promise<MeasureJob> {
  const { frame, task, batchSize, optimizer, gradientClip } = model;
  const declaration = onThisMachine(withHeads(model.declaration, task));
  const resolved = resolveModel(declaration, frame);
  const specs = manifestOf(declaration, frame);
  const n = Math.max(2, batchSize);
  const at = (what: string): string => path.join(folder, what);
  const shape = [n, ...frame.inputShape];
  const job: MeasureJob = {
    ...{ declaration, ...frame, task: 'heads', steps: STEPS },
    data: { featuresPath: at('features'), targetsPath: at('targets'), shape, n },
    ...{ weightsPath: at('weights'), deltaPath: at('delta'), epochs: 1, batchSize, strategy: 'fed-avg' },
    ...{ optimizer: { ...optimizer, learningRate: LEARNING_RATE }, shuffleKey: '00'.repeat(32), round: 0 },
    ...(gradientClip === undefined ? {} : { gradientClip }),
  };
  const network = { specs, activationSize: activationSizeOf(resolved) };
  const length = n * sizeOf(frame.inputShape);
  checkMemory(network, { n, features: { length } }, job, { backend: { hasOperations: false }, ...limits });
  await writeFloat32(job.data.featuresPath, featuresOf(resolved, n));
  await writeFloat32(at('targets'), targetsOf(resolved, n));
  return {
    ...job,
    ...(await writeWeights(specs, at)),
    data: { ...job.data, ...(await writeGraph(job, at)) },
  };
}

/** The model with heads that say their losses. */
function withHeads(model: ModelDeclaration, task: TimedModel['task']): ModelDeclaration {
  const last = model.blocks.at(-1);
  if (model.heads || !last) return model;
  const loss: Loss =
    task === 'classify' ? { type: 'cross-entropy', smoothing: 0 } : { type: 'squared-error' };
  return { ...model, heads: [{ block: last.name, loss, weight: 1 }] };
}

/** The model without the digests of files, and with every block trained here. */
function onThisMachine(model: ModelDeclaration): ModelDeclaration {
  const blocks = model.blocks.map(({ owners, denominator: _declared, ...block }) => ({
    ...block,
    aggregate: owners ? 'sum' : block.aggregate,
    layers: block.layers.map((layer) => {
      if (layer.type === 'chebyshev') return { ...layer, graph: CO_EXPRESSION } as const;
      if (layer.type !== 'gene-grid') return layer;
      const { layout: _named, ...inOrder } = layer;
      return inOrder;
    }),
  }));
  return { ...model, blocks };
}

/** Numbers in (−1, 1), or whole ones for a model that looks rows up; whatever has a mask is there. */
function featuresOf({ blocks, inputs }: ResolvedModel, n: number): Float32Array {
  const looksUp = blocks.some(({ layers }) =>
    layers.some(({ declaration }) => declaration.type === 'embedding'),
  );
  const width = inputs.reduce((sum, { shape, maskSize }) => sum + sizeOf(shape) + maskSize, 0);
  const features = Float32Array.from({ length: n * width }, (_, i) =>
    looksUp ? i % 2 : ((i * 7919) % 2003) / 1001.5 - 1,
  );
  for (const { shape, offset, maskSize } of inputs) {
    const mask = offset + sizeOf(shape);
    for (let at = mask; at < features.length; at += width) features.fill(1, at, at + maskSize);
  }
  return features;
}

/** 0 and 1, in turns: a class, a yes or no, a count, a number, a time without and with its event. */
function targetsOf({ heads }: ResolvedModel, n: number): Float32Array {
  const width = heads.reduce((sum, { targetSize = 0 }) => sum + targetSize, 0);
  return Float32Array.from({ length: n * width }, (_, i) => (Math.floor(i / width) + i) % 2);
}

async function writeWeights(
  specs: readonly WeightSpec[],
  at: (what: string) => string,
): Promise<Pick<TrainJob, 'localWeightsPath'>> {
  const write = async (path: string, own: readonly WeightSpec[]): Promise<void> => {
    const weights = new Float32Array(parameterCount(own));
    let filled = 0;
    for (const piece of initialWeights(own, { seed: 1, arm: 0 })) {
      weights.set(piece, filled);
      filled += piece.length;
    }
    await writeFloat32(path, weights);
  };
  const local = specs.filter(({ aggregate }) => aggregate === 'local');
  await write(at('weights'), travellingWeights(specs));
  if (local.length === 0) return {};
  await write(at('local-weights'), local);
  return { localWeightsPath: at('local-weights') };
}

/** Edges of a ring in which every gene has as many neighbours. */
async function writeGraph(
  { declaration, inputShape }: TrainJob,
  at: (what: string) => string,
): Promise<{ coExpressionPath?: string }> {
  if (!declaration.blocks.some(({ layers }) => layers.some(({ type }) => type === 'chebyshev'))) return {};
  const genes = sizeOf(inputShape);
  const reach = Math.min(NEIGHBOURS / 2, Math.floor((genes - 1) / 2));
  const edges = Array.from({ length: genes * reach }, (_, i) => {
    const gene = Math.floor(i / reach);
    const [a, b] = [gene, (gene + 1 + (i % reach)) % genes];
    return `${Math.min(a, b)}\t${Math.max(a, b)}\t0.5`;
  });
  const coExpressionPath = at('graph.tsv');
  await writeFile(coExpressionPath, `${['a\tb\tweight', ...edges].join('\n')}\n`);
  return { coExpressionPath };
}
