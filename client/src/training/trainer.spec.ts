import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { isRegulonError } from '@regulon/shared/errors';
import { initialWeights, KeyedGenerator, manifestOf, modelDeclarationSchema } from '@regulon/shared/models';
import { exitError } from './exit-error.js';
import { Trainer, type TrainJob } from './index.js';
import { TRAINER_RECORD } from './trainer-record.js';

const GENES = 24;
const UNITS = 37;
const declaration = modelDeclarationSchema.parse({
  blocks: [
    {
      name: 'trunk',
      layers: [
        { type: 'dense', units: 8, activation: 'relu' },
        { type: 'dropout', rate: 0.3 },
        { type: 'dense', units: 'outputs' },
      ],
    },
  ],
});

let folder: string;
let trainer: Trainer;
let job: TrainJob;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-trainer-'));
  job = await makeJob();
  trainer = await Trainer.start({ folder, backend: 'wasm' });
});
afterAll(async () => {
  await trainer.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, values: Float32Array | Int32Array): Promise<string> {
  const target = path.join(folder, name);
  await writeFile(target, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return target;
}

async function makeJob(): Promise<TrainJob> {
  const random = new KeyedGenerator(new Uint8Array(32).fill(1));
  const features = Float32Array.from({ length: UNITS * GENES }, () => 2 * random.uniform() - 1);
  const labels = Int32Array.from({ length: UNITS }, (_, i) => (features[i * GENES]! > 0 ? 1 : 0));
  const specs = manifestOf(declaration, { inputShape: [GENES], outputs: 2 });
  const weights = [...initialWeights(specs, { seed: 1, arm: 0 })].flatMap((piece) => [...piece]);
  return {
    declaration,
    inputShape: [GENES],
    outputs: 2,
    task: 'classify',
    data: {
      featuresPath: await file('features', features),
      targetsPath: await file('classes', labels),
      shape: [UNITS, GENES],
      n: UNITS,
    },
    weightsPath: await file('weights', Float32Array.from(weights)),
    deltaPath: path.join(folder, 'delta'),
    epochs: 2,
    batchSize: 8,
    optimizer: { name: 'adam', learningRate: 1e-2, weightDecay: 1e-4 },
    strategy: 'fed-avg',
    shuffleKey: 'ab'.repeat(32),
    round: 0,
  };
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (isRegulonError(error)) return error.code;
    throw error;
  }
  return 'no error';
}

describe('Trainer', () => {
  it('says which backend it uses, with versions and the digest of its self-test', () => {
    expect(trainer.backend).toMatchObject({ backend: 'wasm', threads: 1, warnings: [] });
    expect(trainer.backend.selfTestDigest).toMatch(/^[0-9a-f]{64}$/);
    expect(trainer.backend.versions['tfjs-core']).toBe('4.22.0');
    expect(Object.keys(trainer.backend.digests)).toEqual(['layer-kernels', 'tfjs-backend-wasm']);
    for (const digest of Object.values(trainer.backend.digests)) expect(digest).toMatch(/^[0-9a-f]{64}$/);
  });

  it('leaves a record of backend and rounds in its folder', async () => {
    const { deltaSha256, steps, stepMilliseconds } = await trainer.train({ ...job, round: 7 });
    const lines = (await readFile(path.join(folder, TRAINER_RECORD), 'utf8')).trim().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as unknown);
    expect(entries[0]).toEqual({ type: 'backend', ...trainer.backend });
    expect(entries.at(-1)).toEqual({ type: 'round', round: 7, steps, stepMilliseconds, deltaSha256 });
    expect(stepMilliseconds).toBeGreaterThan(0);
  });

  it('gives the same update for the same secret and round, another one for others', async () => {
    const digestOf = async (change: Partial<TrainJob>) =>
      (await trainer.train({ ...job, ...change })).deltaSha256;
    const digest = await digestOf({});
    expect(await digestOf({})).toBe(digest);
    expect(await digestOf({ round: 1 })).not.toBe(digest);
    expect(await digestOf({ shuffleKey: 'cd'.repeat(32) })).not.toBe(digest);
    const second = await Trainer.start({ folder, backend: 'wasm' });
    expect(second.backend.selfTestDigest).toBe(trainer.backend.selfTestDigest);
    expect((await second.train(job)).deltaSha256).toBe(digest);
    await second.close();
  });

  it('counts units and steps, and the loss falls when updates are applied', async () => {
    const losses: number[] = [];
    const weightsPath = path.join(folder, 'moving');
    const weights = new Float32Array((await readFile(job.weightsPath)).buffer.slice(0));
    for (let round = 0; round < 12; round++) {
      await writeFile(weightsPath, new Uint8Array(weights.buffer));
      const result = await trainer.train({ ...job, weightsPath, round });
      expect([result.count, result.steps]).toEqual([UNITS, 10]);
      losses.push(result.lossSum / result.count);
      const delta = await readFile(job.deltaPath);
      weights.forEach((w, i) => (weights[i] = w + delta.readFloatLE(4 * i)));
    }
    expect(losses.at(-1)).toBeLessThan(0.5 * losses[0]!);
    const { confusion = [], count } = await trainer.evaluate({ ...job, weightsPath });
    expect(confusion.reduce((a, b) => a + b)).toBe(count);
    expect((confusion[0]! + confusion[3]!) / count).toBeGreaterThan(0.9);
  });

  it('writes predictions for new samples to a file of the site', async () => {
    const predictionsPath = path.join(folder, 'predictions');
    const { featuresPath, shape, n } = job.data;
    const result = await trainer.predict({ ...job, data: { featuresPath, shape, n }, predictionsPath });
    expect(result).toMatchObject({ count: UNITS, width: 2 });
    expect((await readFile(predictionsPath)).length).toBe(4 * UNITS * 2);
  });

  it('explains its units: sums by class, and no value of a unit in the answer', async () => {
    const summaryPath = path.join(folder, 'attributions');
    const method = { name: 'integrated-gradients' } as const;
    const result = await trainer.attribute({ ...job, method, explain: 'class', summaryPath });
    expect(Object.keys(result).sort()).toEqual(['count', 'gap', 'seconds', 'units']);
    expect((await readFile(summaryPath)).length).toBe(4 * 2 * 3 * GENES);
  });

  it('names what is wrong with a job, goes on afterwards, and leaves no part of a file', async () => {
    expect(await codeOf(trainer.train({ ...job, outputs: 3 }))).toBe('E_MODEL_SHAPE');
    expect(await codeOf(trainer.train({ ...job, data: { ...job.data, shape: [UNITS, 23] } }))).toBe(
      'E_MODEL_SHAPE',
    );
    const bad = await file('bad-classes', new Int32Array(UNITS).fill(7));
    expect(await codeOf(trainer.train({ ...job, data: { ...job.data, targetsPath: bad } }))).toBe('E_LABEL');
    for (const value of [Number.NaN, Infinity]) {
      const features = new Float32Array(UNITS * GENES).fill(0.5, 1);
      features[0] = value;
      const data = { ...job.data, featuresPath: await file('not-finite', features) };
      expect(await codeOf(trainer.train({ ...job, data }))).toBe('E_DATA_NOT_FINITE');
      expect(await codeOf(trainer.evaluate({ ...job, data }))).toBe('E_DATA_NOT_FINITE');
    }
    const huge = await file('huge', new Float32Array(UNITS * GENES).fill(3e38));
    expect(await codeOf(trainer.train({ ...job, data: { ...job.data, featuresPath: huge } }))).toBe(
      'E_LOSS_NOT_FINITE',
    );
    expect((await trainer.train(job)).count).toBe(UNITS);
    expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});

describe('a trainer that ends', () => {
  let victim: Trainer;
  const start = async (options: { memoryLimitMb?: number; silenceSeconds?: number } = {}) =>
    (victim = await Trainer.start({ folder, backend: 'wasm', ...options }));
  afterEach(async () => victim.close());
  const longJob = (): TrainJob => ({ ...job, epochs: 1_000_000 });

  it('killed: E_TRAINER_CRASH, and the same again for the next job', async () => {
    await start();
    const running = codeOf(victim.train(longJob()));
    process.kill(victim.pid!, 'SIGKILL');
    expect(await running).toBe('E_TRAINER_CRASH');
    expect(await codeOf(victim.train(job))).toBe('E_TRAINER_CRASH');
  });

  it('says how it ended, and nothing of what a library has written to its error output', () => {
    const error = exitError(1, null, 'RangeError: cannot read 4711 of patient 12');
    expect(JSON.stringify([error.message, error.hint, error.details])).not.toMatch(/4711|patient/);
    expect(exitError(null, 'SIGABRT', 'FATAL ERROR: JavaScript heap out of memory').code).toBe(
      'E_TRAINER_OOM',
    );
  });

  it('too slow: E_TRAINER_TIMEOUT', async () => {
    await start();
    expect(await codeOf(victim.train({ ...longJob(), timeoutSeconds: 0.3 }))).toBe('E_TRAINER_TIMEOUT');
  });

  it('silent without using the CPU: E_TRAINER_TIMEOUT', async () => {
    await start({ silenceSeconds: 0.4 });
    process.kill(victim.pid!, 'SIGSTOP');
    const running = codeOf(victim.train(job));
    // a stopped process cannot be terminated politely; cancel follows with SIGKILL
    expect(await running).toBe('E_TRAINER_TIMEOUT');
  });

  it('cancelled: E_RUN_ABORTED, and no update', async () => {
    await start();
    const deltaPath = path.join(folder, 'never');
    const running = codeOf(victim.train({ ...longJob(), deltaPath }));
    await victim.cancel();
    expect(await running).toBe('E_RUN_ABORTED');
    expect(await readdir(folder)).not.toContain('never');
  });

  it('without enough memory: E_TRAINER_OOM before anything is allocated', async () => {
    await start({ memoryLimitMb: 80 });
    expect(await codeOf(victim.train(job))).toBe('E_TRAINER_OOM');
    expect(await codeOf(victim.measure(job))).toBe('E_TRAINER_OOM');
    expect(await codeOf(victim.evaluate(job))).toBe('E_TRAINER_OOM');
    const predictionsPath = path.join(folder, 'never');
    expect(await codeOf(victim.predict({ ...job, predictionsPath }))).toBe('E_TRAINER_OOM');
    const mapsPath = predictionsPath;
    const attribution = { ...job, mapsPath, method: { name: 'saliency' }, explain: 0 } as const;
    expect(await codeOf(victim.attribute(attribution))).toBe('E_TRAINER_OOM');
    expect(await readdir(folder)).not.toContain('never');
  });

  it('whose device is lost: E_DEVICE_LOST', () => {
    const line = 'failed to synchronize: CUDA_ERROR_ILLEGAL_ADDRESS of patient 12';
    const error = exitError(null, 'SIGABRT', line);
    expect(error.code).toBe('E_DEVICE_LOST');
    expect(JSON.stringify([error.message, error.details])).not.toMatch(/patient/);
  });

  it('without the pinned backend: E_BACKEND', async () => {
    await start();
    const wanted = Trainer.start({ folder, backend: 'blas', acceleratorFolder: folder });
    const outcome = await codeOf(wanted.then((t) => t.close()));
    // a machine with a system BLAS starts it
    expect(['E_BACKEND', 'no error']).toContain(outcome);
  });
});
