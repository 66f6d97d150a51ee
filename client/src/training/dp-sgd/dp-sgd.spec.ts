import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { RandomWords, type WordSource } from '@regulon/shared/privacy';
import { WasmBackend } from '../backends/wasm.js';
import type { UnitData } from '../data.js';
import type { PrivateTraining, TrainJob } from '../job.js';
import { trainRound } from '../loop.js';
import { softmaxCrossEntropy } from '../losses/index.js';
import { Network } from '../network.js';
import { trainPrivately } from './dp-sgd.js';
import { NormalsAhead } from './normals-ahead.js';
import { poissonSample, recordsByPatient } from './patients.js';

const [GENES, N] = [6, 60];
const features = Float32Array.from({ length: N * GENES }, (_, i) => Math.sin(i * 1.7));
const labels = Int32Array.from({ length: N }, (_, i) => (features[i * GENES]! > 0 ? 1 : 0));
const data: UnitData = {
  ...{ n: N, inputShape: [GENES], features },
  lossOf: (output, rows) =>
    softmaxCrossEntropy(
      output,
      rows.map((row) => labels[row]!),
      2,
    ),
};
const network = new Network(
  modelDeclarationSchema.parse({
    blocks: [
      {
        name: 'mlp',
        layers: [
          { type: 'dense', units: 5, activation: 'tanh' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  }),
  { inputShape: [GENES], outputs: 2 },
);
const dense = (units: number) => ({ type: 'dense', units, activation: 'tanh' });
const size = network.specs.reduce((n, spec) => n + spec.size, 0);
const weights = Float32Array.from({ length: size }, (_, i) => Math.cos(i) / 4);

const sound: PrivateTraining = {
  ...{ steps: 4, samplingRate: 0.25, noiseMultiplier: 1, clipNorm: 1, patients: N },
  ...{ recordsPerPatient: 1, recordKey: '09'.repeat(32) },
};
const job = (privacy: Partial<PrivateTraining> = {}, change: Partial<TrainJob> = {}): TrainJob =>
  ({
    ...{ epochs: 1, batchSize: 16, strategy: 'fed-avg', task: 'classify', shuffleKey: '07'.repeat(32) },
    ...{ round: 0, optimizer: { name: 'sgd', learningRate: 1 }, privacy: { ...sound, ...privacy } },
    ...change,
  }) as TrainJob;

let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});
const seeded = (seed: number): WordSource => new RandomWords(new Uint8Array(32).fill(seed));
const run = (
  privacy: Partial<PrivateTraining> = {},
  { units = data, seed = 5 }: { units?: UnitData; seed?: number } = {},
) => {
  const asked = job(privacy);
  return trainPrivately({ network, data: units, backend, job: asked }, asked.privacy!, weights, seeded(seed));
};

describe('DP-SGD by patient', () => {
  it('learns: noise of a large cohort is small beside its gradients', async () => {
    const { delta } = await run({ steps: 200, samplingRate: 0.5, noiseMultiplier: 0.2 });
    const trained = weights.map((w, i) => w + delta[i]!);
    const after = tf.tidy(() => {
      const tensors = network.specs.map(({ offset, size: n, shape }) =>
        tf.tensor(trained.subarray(offset, offset + n), [...shape]),
      );
      const context = {
        backend,
        training: false,
        randomOf: () => ({ uniform: () => 0, words: () => undefined }),
      };
      const { output } = network.forward(tf.tensor(features, [N, GENES]), tensors, context);
      return softmaxCrossEntropy(Float32Array.from(backend.view(output)), labels, 2);
    });
    expect(after.correct / N).toBeGreaterThan(0.85);
  });

  it('a step without anybody is noise, of the standard deviation that the plan says, over the constant denominator', async () => {
    const rates: number[] = [];
    for (let seed = 1; seed <= 40; seed++) {
      // no word is below the threshold of the smallest rate
      const { delta, steps } = await run(
        { steps: 1, samplingRate: 2 ** -32, clipNorm: 2 ** -20, noiseMultiplier: 3 },
        { seed },
      );
      expect(steps).toBe(1);
      rates.push(...delta.map((d) => (d * 2 ** -32 * N) / 2 ** -20));
    }
    const deviation = Math.sqrt(rates.reduce((sum, x) => sum + x * x, 0) / rates.length);
    expect(rates.length).toBe(40 * size);
    // five standard errors
    expect(Math.abs(deviation / 3 - 1)).toBeLessThan(5 / Math.sqrt(2 * rates.length));
  });

  it('noise drawn ahead by a thread has the same standard deviation (needs the compiled programs)', async () => {
    const wide = new Network(
      modelDeclarationSchema.parse({
        blocks: [{ name: 'mlp', layers: [dense(20_000), { type: 'dense', units: 'outputs' }] }],
      }),
      { inputShape: [GENES], outputs: 2 },
    );
    const start = new Float32Array(wide.specs.reduce((n, spec) => n + spec.size, 0));
    const [steps, z] = [30, 3];
    expect(NormalsAhead.isWorth(steps * start.length)).toBe(true);
    const asked = job({ steps, samplingRate: 2 ** -32, clipNorm: 2 ** -20, noiseMultiplier: z });
    const { delta } = await trainRound({ network: wide, data, backend, job: asked }, start);
    const moves = delta.map((d) => (d * 2 ** -32 * N) / 2 ** -20);
    const deviation = Math.sqrt(moves.reduce((sum, x) => sum + x * x, 0) / moves.length);
    expect(Math.abs(deviation / (z * Math.sqrt(steps)) - 1)).toBeLessThan(5 / Math.sqrt(2 * moves.length));
  });

  it('divides by a constant, whatever was drawn: more patients do not shrink what one of them moves', async () => {
    const all = { samplingRate: 1, noiseMultiplier: 1e-9, steps: 1 };
    const { delta } = await run(all);
    const twice = await run({ ...all, patients: 2 * N });
    delta.forEach((d, i) => expect(twice.delta[i]).toBeCloseTo(d / 2, 5));
    const half: UnitData = { ...data, n: N / 2 };
    const { delta: fewer } = await run(all, { units: half });
    expect(Math.hypot(...fewer)).toBeLessThan(Math.hypot(...delta));
  });

  it('rounds the noisy sum to a grid of the clip norm', async () => {
    const { delta } = await run({ steps: 1, samplingRate: 1, noiseMultiplier: 1, clipNorm: 1, patients: 1 });
    // weights are float32: what is left of a multiple of 2⁻²⁰ is their own rounding
    delta.forEach((d) => expect(Math.abs(d * 2 ** 20 - Math.round(d * 2 ** 20))).toBeLessThan(0.51));
    delta.forEach((d) => expect(Math.abs(d)).toBeLessThanOrEqual(N + 10));
  });

  it('returns no loss and keeps nothing: no noise covers it', async () => {
    await run();
    const before = tf.memory().numTensors;
    const { sums } = await run({ steps: 3 });
    expect(sums).toEqual({ lossSum: 0, targetCount: 0, correct: 0 });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('draws other noise each time: two runs of the same round differ', async () => {
    const asked = job();
    const once = () => trainRound({ network, data, backend, job: asked }, weights);
    const [one, two] = [await once(), await once()];
    expect(one.delta).not.toEqual(two.delta);
  });

  it('gives the same sum in pieces of any size', async () => {
    const quiet = { steps: 1, samplingRate: 1, noiseMultiplier: 1e-9 };
    const asked = (batchSize: number) => job(quiet, { batchSize });
    const of = async (batchSize: number) =>
      (
        await trainPrivately(
          { network, data, backend, job: asked(batchSize) },
          asked(1).privacy!,
          weights,
          seeded(1),
        )
      ).delta;
    const [whole, parts] = [await of(N), await of(7)];
    whole.forEach((d, i) => expect(parts[i]).toBeCloseTo(d, 5));
  });

  it.each([
    ['a clip norm of 0', { clipNorm: 0 }, 'E_CLIP_NORM'],
    ['a clip norm that is no number', { clipNorm: Number.NaN }, 'E_CLIP_NORM'],
    ['no noise', { noiseMultiplier: 0 }, 'E_PRIVACY'],
    ['negative noise', { noiseMultiplier: -1 }, 'E_PRIVACY'],
    ['a rate above 1', { samplingRate: 1.01 }, 'E_PRIVACY'],
    ['a rate of 0', { samplingRate: 0 }, 'E_PRIVACY'],
    ['no steps', { steps: 0 }, 'E_PRIVACY'],
    ['no patients', { patients: 0 }, 'E_PRIVACY'],
    ['no records', { recordsPerPatient: 0 }, 'E_PRIVACY'],
  ] as const)('%s: refused before a step', async (_, wrong, code) => {
    let steps = 0;
    const asked = job(wrong);
    const round = { network, data, backend, job: asked, onStep: () => void steps++ };
    await expect(trainPrivately(round, asked.privacy!, weights)).rejects.toMatchObject({ code });
    expect(steps).toBe(0);
  });

  it('a gradient that is NaN or infinite: refused by name, with nothing returned and nothing kept', async () => {
    const before = tf.memory().numTensors;
    for (const bad of [Number.NaN, Infinity]) {
      const broken = features.map((x, i) => (i === 3 * GENES ? bad : x));
      await expect(run({ samplingRate: 1 }, { units: { ...data, features: broken } })).rejects.toMatchObject({
        code: 'E_LOSS_NOT_FINITE',
      });
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it('a gradient that is no number under a loss that is one, or the other way round: refused, not clipped to NaN', async () => {
    const lossOf: UnitData['lossOf'] = (output) => {
      output.fill(Number.NaN);
      return { lossSum: 1, targetCount: N, correct: 0 };
    };
    await expect(run({ samplingRate: 1 }, { units: { ...data, lossOf } })).rejects.toMatchObject({
      code: 'E_LOSS_NOT_FINITE',
      message: expect.stringContaining('gradient of a patient'),
    });
    const noLoss: UnitData['lossOf'] = () => ({ lossSum: Number.NaN, targetCount: N, correct: 0 });
    await expect(run({ samplingRate: 1 }, { units: { ...data, lossOf: noLoss } })).rejects.toMatchObject({
      code: 'E_LOSS_NOT_FINITE',
    });
  });
});

describe('patients', () => {
  const key = '0a'.repeat(32);
  const numbers = [3, 1, 3, 3, 2, 3, 1];

  it('are groups of records, at most so many of each, the same ones for the same run', () => {
    expect(recordsByPatient(7, numbers, { most: 9, key })).toEqual([[0, 2, 3, 5], [1, 6], [4]]);
    const capped = recordsByPatient(7, numbers, { most: 2, key });
    expect(capped.map(({ length }) => length)).toEqual([2, 2, 1]);
    expect(recordsByPatient(7, numbers, { most: 2, key })).toEqual(capped);
    const choices = Array.from({ length: 20 }, (_, i) =>
      recordsByPatient(7, numbers, {
        most: 1,
        key: (10 + i).toString(16).padStart(2, '0').repeat(32),
      })[0]!.join(),
    );
    expect(new Set(choices).size).toBeGreaterThan(2);
  });

  it('each enters a step by itself, with the probability that is charged', () => {
    const patients = Array.from({ length: 4000 }, (_, i) => [i]);
    const source = seeded(3);
    for (const rate of [0.1, 0.5]) {
      const drawn = poissonSample(patients, rate * 2 ** 32, source).length;
      // five standard deviations; never the same number twice in a row is no rule
      expect(Math.abs(drawn - 4000 * rate)).toBeLessThan(5 * Math.sqrt(4000 * rate * (1 - rate)));
    }
    expect(poissonSample(patients, 2 ** 32, source)).toHaveLength(4000);
    const sizes = Array.from({ length: 8 }, () => poissonSample(patients, 2 ** 31, source).length);
    expect(new Set(sizes).size).toBeGreaterThan(1);
  });
});
