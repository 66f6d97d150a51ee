import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import {
  initialWeights,
  KeyedGenerator,
  manifestOf,
  modelDeclarationSchema,
  parameterCount,
  sizeOf,
} from '@regulon/shared/models';
import { writeFloat32 } from '../files.js';
import type { TrainJob } from '../job.js';

/** Models of the benchmark, by what they are: sizes as in docs/benchmarks.md. */
const MODELS = {
  mlp: {
    inputShape: [15_000],
    layers: [
      { type: 'dense', units: 128, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  cnn: {
    inputShape: [5000, 1],
    layers: [
      { type: 'conv1d', filters: 8, kernel: 5, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'conv1d', filters: 16, kernel: 5, activation: 'relu' },
      { type: 'max-pool1d', size: 2 },
      { type: 'flatten' },
      { type: 'dense', units: 32, activation: 'relu' },
      { type: 'dense', units: 'outputs' },
    ],
  },
  lstm: {
    inputShape: [10, 500],
    layers: [
      { type: 'lstm', units: 128 },
      { type: 'dense', units: 'outputs' },
    ],
  },
} as const;

const UNITS = 64;

/** A model of one block, as in a plan. */
interface SmallModel {
  readonly inputShape: readonly number[];
  readonly layers: readonly object[];
}

/**
 * Training jobs on numbers without meaning, to measure backends with.
 *
 * @param folder where their data are written
 */
export async function referenceJobs(folder: string): Promise<{ name: string; job: TrainJob }[]> {
  const jobs: { name: string; job: TrainJob }[] = [];
  for (const [name, model] of Object.entries(MODELS))
    jobs.push({ name, job: await jobOf(model, folder, name) });
  return jobs;
}

/** A training job for two classes on numbers without meaning. @param name of its files */
export async function jobOf(
  { inputShape, layers }: SmallModel,
  folder: string,
  name: string,
): Promise<TrainJob> {
  const declaration = modelDeclarationSchema.parse({ blocks: [{ name: 'trunk', layers }] });
  const frame = { inputShape: [...inputShape], outputs: 2 };
  const specs = manifestOf(declaration, frame);
  const weights = new Float32Array(parameterCount(specs));
  let filled = 0;
  for (const piece of initialWeights(specs, { seed: 1, arm: 0 })) {
    weights.set(piece, filled);
    filled += piece.length;
  }
  const random = new KeyedGenerator(new Uint8Array(32).fill(1));
  const size = UNITS * sizeOf(inputShape);
  const at = (what: string): string => path.join(folder, `${name}-${what}`);
  await writeFloat32(
    at('features'),
    Float32Array.from({ length: size }, () => 2 * random.uniform() - 1),
  );
  await writeFile(
    at('classes'),
    Int32Array.from({ length: UNITS }, (_, i) => i % 2),
  );
  await writeFloat32(at('weights'), weights);
  const shape = [UNITS, ...inputShape];
  return {
    ...{ declaration, ...frame, task: 'classify' },
    data: { featuresPath: at('features'), targetsPath: at('classes'), shape, n: UNITS },
    ...{ weightsPath: at('weights'), deltaPath: at('delta'), epochs: 1, batchSize: 32, strategy: 'fed-avg' },
    ...{ optimizer: { name: 'adam', learningRate: 1e-3 }, shuffleKey: '00'.repeat(32), round: 0 },
  };
}
