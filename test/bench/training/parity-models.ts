import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TrainJob } from '@regulon/client/training';
import {
  initialWeights,
  KeyedGenerator,
  manifestOf,
  modelDeclarationSchema,
  parameterCount,
} from '@regulon/shared/models';

/** A model whose steps are timed and whose losses are compared with PyTorch's. */
export interface ParityModel {
  readonly id: 'A' | 'B' | 'G' | 'C' | 'E';
  readonly title: string;
  readonly inputShape: readonly number[];
  readonly outputs: number;
  readonly task: 'classify' | 'reconstruct';
  readonly batch: number;
  /** features are uniform on ± scale: large enough to learn from, small enough not to be learned by heart at once */
  readonly scale: number;
  readonly learningRate: number;
  /** steps of one measurement; the last loss is the one compared */
  readonly steps: number;
  /** ms a step ÷ PyTorch's: `blas` with 1 and 2 threads; `wasm` where there is a goal */
  readonly goal: { readonly blas: number; readonly wasm?: number };
  readonly layers: readonly object[];
}

const out = { type: 'dense', units: 'outputs' };
const relu = { activation: 'relu' };

/** All with Adam (β .9, .999, ε 1e-7) on one seeded batch. */
export const PARITY_MODELS: readonly ParityModel[] = [
  {
    ...{ id: 'A', title: '1D CNN', inputShape: [5000, 1], outputs: 2, task: 'classify' },
    ...{ batch: 32, scale: 0.2, learningRate: 1e-3, steps: 40, goal: { blas: 1, wasm: 3 } },
    layers: [
      { type: 'conv1d', filters: 8, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 16, kernel: 5, ...relu },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 32, ...relu },
      out,
    ],
  },
  {
    ...{ id: 'B', title: 'LSTM', inputShape: [10, 500], outputs: 1, task: 'reconstruct' },
    ...{ batch: 32, scale: 0.1, learningRate: 1e-3, steps: 100, goal: { blas: 0.9, wasm: 4 } },
    layers: [{ type: 'lstm', units: 128 }, out],
  },
  {
    ...{ id: 'G', title: 'GRU', inputShape: [10, 500], outputs: 1, task: 'reconstruct' },
    ...{ batch: 32, scale: 0.1, learningRate: 1e-3, steps: 100, goal: { blas: 0.9, wasm: 4 } },
    layers: [{ type: 'gru', units: 128 }, out],
  },
  {
    ...{ id: 'C', title: 'autoencoder, 21 M', inputShape: [10_000], outputs: 10_000, task: 'reconstruct' },
    ...{ batch: 128, scale: 1, learningRate: 1e-4, steps: 20, goal: { blas: 0.55 } },
    layers: [1024, 256, 1024].map((units): object => ({ type: 'dense', units, ...relu })).concat([out]),
  },
  {
    ...{ id: 'E', title: 'MLP, 1.9 M', inputShape: [15_000], outputs: 2, task: 'classify' },
    ...{ batch: 32, scale: 0.02, learningRate: 1e-3, steps: 100, goal: { blas: 0.75, wasm: 3 } },
    layers: [{ type: 'dense', units: 128, ...relu }, out],
  },
];

/**
 * Write features, targets and initial weights of a model, all from seeds.
 *
 * @returns the job that trains on them: one batch, as many epochs as steps
 */
export function writeParityJob(model: ParityModel, folder: string): TrainJob {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers: model.layers }] });
  const specs = manifestOf(declaration, { inputShape: [...model.inputShape], outputs: model.outputs });
  const random = new KeyedGenerator(new Uint8Array(32).fill(model.id.charCodeAt(0)));
  const { batch, outputs, scale } = model;
  const floats = (length: number, bound: number) =>
    Float32Array.from({ length }, () => bound * (2 * random.uniform() - 1));
  const weights = new Float32Array(parameterCount(specs));
  let at = 0;
  for (const piece of initialWeights(specs, { seed: 1, arm: 0 })) {
    weights.set(piece, at);
    at += piece.length;
  }
  const width = model.inputShape.reduce((a, b) => a * b, 1);
  const features = floats(batch * width, scale);
  const targets =
    model.task === 'classify'
      ? Int32Array.from({ length: batch }, () => Math.floor(outputs * random.uniform()))
      : outputs === width
        ? features
        : floats(batch * outputs, 1);
  const write = (name: string, values: Float32Array | Int32Array): string => {
    const path = join(folder, `${model.id}-${name}`);
    writeFileSync(path, values);
    return path;
  };
  const data = {
    featuresPath: write('features', features),
    targetsPath: write('targets', targets),
    shape: [batch, ...model.inputShape],
    n: batch,
  };
  return {
    ...{ declaration, inputShape: model.inputShape, outputs, task: model.task, data },
    ...{ weightsPath: write('weights', weights), deltaPath: join(folder, `${model.id}-delta`) },
    ...{ epochs: model.steps, batchSize: batch, strategy: 'fed-avg', round: 0, shuffleKey: '01'.repeat(32) },
    optimizer: { name: 'adam', learningRate: model.learningRate },
  };
}
