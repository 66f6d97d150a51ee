import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  initialWeights,
  manifestOf,
  type ModelDeclaration,
  modelDeclarationSchema,
  parameterCount,
  travellingWeights,
} from '@regulon/shared/models';
import { WasmBackend } from './backends/wasm.js';
import type { TrainJob } from './job.js';
import { fileDigest, type ModelClass, modelClasses } from './model-classes.support.js';
import { runEvaluateJob, runTrainJob } from './run-job.js';
import { Dice } from './toy-tasks.support.js';

const UNITS = [70, 50];
const ROUNDS = 4;
let backend: WasmBackend;
let folder: string;
beforeAll(async () => {
  backend = await WasmBackend.start();
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-classes-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, values: Float32Array | Int32Array | Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return path;
};
const floats = (path: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);

interface Federation {
  readonly declaration: ModelDeclaration;
  readonly jobs: TrainJob[];
  weights: Float32Array;
}

/** Two sites with their own units, and the first weights of a model. */
function federationOf(modelClass: ModelClass): Federation {
  const { units, task, outputs, files = [] } = modelClass;
  const declaration = modelDeclarationSchema.parse(modelClass.model);
  const width = units(1, new Dice(1)).features[0]!.length;
  const inputShape = modelClass.inputShape ?? [width];
  const specs = manifestOf(declaration, { inputShape, outputs });
  const all = Float32Array.from(
    [...initialWeights(specs, { seed: 5, arm: 0 })].flatMap((piece) => [...piece]),
  );
  const travelling = parameterCount(travellingWeights(specs));
  const modelFiles = Object.fromEntries(files.map((bytes) => [fileDigest(bytes), file('model-file', bytes)]));
  const jobs = UNITS.map((n, site): TrainJob => {
    const { features, targets } = units(n, new Dice(10 + site));
    const goals = targets?.flat();
    const targetsPath =
      goals &&
      file(`targets-${site}`, task === 'classify' ? Int32Array.from(goals) : Float32Array.from(goals));
    const local = file(`local-${site}`, all.subarray(travelling));
    return {
      ...{ declaration, inputShape, outputs, task, modelFiles, epochs: 12, batchSize: 16, round: 0 },
      data: {
        featuresPath: file(`features-${site}`, Float32Array.from(features.flat())),
        ...(targetsPath === undefined ? {} : { targetsPath }),
        ...{ shape: [n, ...inputShape], n },
      },
      weightsPath: join(folder, 'weights'),
      deltaPath: join(folder, `delta-${site}`),
      ...(travelling < all.length ? { localWeightsPath: local, nextLocalWeightsPath: local } : {}),
      optimizer: { name: 'adam', learningRate: 0.01 },
      strategy: 'fed-avg',
      shuffleKey: '07'.repeat(32),
    };
  });
  return { declaration, jobs, weights: all.slice(0, travelling) };
}

/** Mean loss over the units of all sites. */
async function lossOf({ jobs, weights }: Federation): Promise<number> {
  file('weights', weights);
  let [sum, count] = [0, 0];
  for (const job of jobs) {
    const result = await runEvaluateJob(job, { backend, onBeat: () => undefined });
    sum += result.lossSum;
    count += result.count;
  }
  return sum / count;
}

/** One round: every site trains, the updates are averaged by units. */
async function round(federation: Federation, index: number): Promise<void> {
  const { jobs, weights } = federation;
  file('weights', weights);
  const next = weights.slice();
  const total = UNITS.reduce((a, b) => a + b);
  for (const [site, job] of jobs.entries()) {
    const { count } = await runTrainJob({ ...job, round: index }, { backend, onBeat: () => undefined });
    floats(job.deltaPath).forEach((d, i) => (next[i] = next[i]! + (count / total) * d));
    expect(count).toBe(UNITS[site]);
  }
  federation.weights = next;
}

describe('every class of models', () => {
  it.each(Object.entries(modelClasses))('%s learns at two sites by averaging', async (_name, modelClass) => {
    const federation = federationOf(modelClass);
    const before = await lossOf(federation);
    for (let r = 0; r < ROUNDS; r++) await round(federation, r);
    const after = await lossOf(federation);
    expect(after).toBeLessThan((1 - (modelClass.falls ?? 0.4)) * before);
  });
});

describe('a job', () => {
  it('leaves frozen blocks as they are, bit for bit, and moves others by their rate', async () => {
    const model = {
      blocks: [
        { name: 'frozen', freeze: true, layers: [{ type: 'dense', units: 6, activation: 'tanh' }] },
        { name: 'head', rate: 0.5, layers: [{ type: 'dense', units: 'outputs' }] },
      ],
    };
    const federation = federationOf({ ...modelClasses['softmax regression']!, model });
    const deltaOf = async (change: Partial<TrainJob>): Promise<Float32Array> => {
      file('weights', federation.weights);
      const job = { ...federation.jobs[0]!, ...change };
      await runTrainJob(job, { backend, onBeat: () => undefined });
      return floats(job.deltaPath);
    };
    const delta = await deltaOf({ optimizer: { name: 'adam', learningRate: 0.01, weightDecay: 0.1 } });
    expect(delta.subarray(0, 8 * 6 + 6).every((d) => d === 0)).toBe(true);
    expect(Math.hypot(...delta)).toBeGreaterThan(0.1);
    const step = { strategy: 'fed-sgd', optimizer: { name: 'sgd', learningRate: 0.1 } } as const;
    const half = await deltaOf(step);
    const blocks = model.blocks.map((block) => ({ ...block, rate: 1 }));
    const whole = await deltaOf({ ...step, declaration: modelDeclarationSchema.parse({ blocks }) });
    half.forEach((d, i) => expect(d).toBeCloseTo(0.5 * whole[i]!, 7));
  });

  it('trains a block only at its owners, weight decay or not', async () => {
    const layers = [{ type: 'dense', units: 'outputs' }];
    const owned = { aggregate: 'owners', owners: ['north'], denominator: 1 };
    const model = { blocks: [{ name: 'head', ...owned, layers }] };
    const federation = federationOf({ ...modelClasses['softmax regression']!, model });
    file('weights', federation.weights);
    const optimizer = { name: 'adam', learningRate: 0.01, weightDecay: 0.1 } as const;
    const normAt = async (site: string): Promise<number> => {
      const job = { ...federation.jobs[0]!, optimizer, site };
      return (await runTrainJob(job, { backend, onBeat: () => undefined })).deltaNormSquared;
    };
    expect(await normAt('south')).toBe(0);
    expect(await normAt('north')).toBeGreaterThan(0.01);
  });

  it('keeps statistics of its site out of the update, and hands them on', async () => {
    const federation = federationOf(modelClasses['MLP with batch statistics of its site (FedBN)']!);
    const [job] = federation.jobs;
    const before = floats(job!.localWeightsPath!);
    await round(federation, 0);
    expect(floats(job!.deltaPath)).toHaveLength(8 * 12 + 12 + 12 * 2 + 2);
    const after = floats(job!.localWeightsPath!);
    expect(after).toHaveLength(4 * 8);
    expect([...after.subarray(16, 24)]).not.toEqual([...before.subarray(16, 24)]);
    // features in (−1, 1) have a variance of about a third
    for (const variance of after.subarray(24)) expect(Math.abs(variance - 1 / 3)).toBeLessThan(0.15);
  });

  it('finds the genes of a model file by their names, in whatever order the model reads them', async () => {
    const { jobs, weights } = federationOf(modelClasses['graph convolution']!);
    file('weights', weights);
    const lossWith = async (names: string[]): Promise<number> => {
      const featureNamesPath = file('names', new TextEncoder().encode(`${names.join('\n')}\n`));
      const job = { ...jobs[0]!, data: { ...jobs[0]!.data, featureNamesPath } };
      return (await runEvaluateJob(job, { backend, onBeat: () => undefined })).lossSum;
    };
    const names = Array.from({ length: 12 }, (_, g) => String(g));
    const plain = (await runEvaluateJob(jobs[0]!, { backend, onBeat: () => undefined })).lossSum;
    expect(await lossWith(names)).toBe(plain);
    // the ring read backwards is the same ring; with two genes exchanged it is another
    expect(await lossWith([...names].reverse())).toBeCloseTo(plain, 4);
    expect(
      Math.abs((await lossWith(['5', ...names.slice(1, 5), '0', ...names.slice(6)])) - plain),
    ).toBeGreaterThan(1e-3);
  });

  it('is refused without a file that the model names, or with other bytes in it', async () => {
    const { jobs, weights } = federationOf(modelClasses['graph convolution']!);
    file('weights', weights);
    const run = (modelFiles: Record<string, string>) =>
      runTrainJob({ ...jobs[0]!, modelFiles }, { backend, onBeat: () => undefined });
    await expect(run({})).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
    const [digest = ''] = Object.keys(jobs[0]!.modelFiles!);
    const other = file('other', new TextEncoder().encode('a\tb\tweight\n0\t1\t2\n'));
    await expect(run({ [digest]: other })).rejects.toMatchObject({ code: 'E_DIGEST' });
  });
});
