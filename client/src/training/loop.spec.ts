import { beforeAll, describe, expect, it } from '@jest/globals';
import * as tf from '@tensorflow/tfjs-core';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from './backends/wasm.js';
import type { UnitData } from './data.js';
import type { TrainJob } from './job.js';
import { trainRound } from './loop.js';
import { squaredError } from './losses/index.js';
import { Network } from './network.js';
import { dropout } from './ops/dropout.js';
import { RoundRandomness } from './randomness.js';

const GENES = 12;
const features = Float32Array.from({ length: 40 * GENES }, (_, i) => Math.sin(i * 1.7));
const data: UnitData = {
  n: 40,
  inputShape: [GENES],
  features,
  lossOf: (output, rows) => squaredError(output, features, undefined, rows, GENES),
};
const network = new Network(
  modelDeclarationSchema.parse({
    blocks: [
      { name: 'encoder', layers: [{ type: 'dense', units: 5, activation: 'tanh' }] },
      {
        name: 'decoder',
        layers: [
          { type: 'dropout', rate: 0.2 },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  }),
  { inputShape: [GENES], outputs: GENES },
);
const weights = new Float32Array(network.specs.reduce((n, spec) => n + spec.size, 0)).map(
  (_, i) => Math.cos(i) / 4,
);
const job = (change: Partial<TrainJob> = {}) =>
  ({
    epochs: 1,
    batchSize: 16,
    optimizer: { name: 'adam', learningRate: 1e-3 },
    strategy: 'fed-avg',
    shuffleKey: '07'.repeat(32),
    round: 0,
    ...change,
  }) as TrainJob;

let backend: WasmBackend;
beforeAll(async () => {
  backend = await WasmBackend.start();
});
const run = (change: Partial<TrainJob> = {}) =>
  trainRound({ network, data, backend, job: job(change) }, weights);

describe('local training', () => {
  it('leaves the number of tensors and their memory unchanged over 1,000 steps', async () => {
    await run();
    const before = tf.memory();
    const { steps } = await run({ epochs: 334 });
    expect(steps).toBe(1002);
    const after = tf.memory();
    expect([after.numTensors, after.numBytes]).toEqual([before.numTensors, before.numBytes]);
  });

  it('gives everything back when a step fails', async () => {
    const before = tf.memory().numTensors;
    const broken = { ...data, features: features.map(() => Number.NaN) };
    await expect(trainRound({ network, data: broken, backend, job: job() }, weights)).rejects.toMatchObject({
      code: 'E_LOSS_NOT_FINITE',
    });
    expect(tf.memory().numTensors).toBe(before);
  });

  it('does not change the global weights, and clips a step to the norm that the plan allows', async () => {
    const before = [...weights];
    const clipped = {
      optimizer: { name: 'sgd', learningRate: 1 } as const,
      gradientClip: 0.01,
      batchSize: 40,
    };
    const { delta } = await run(clipped);
    expect([...weights]).toEqual(before);
    expect(Math.hypot(...delta)).toBeCloseTo(0.01, 6);
  });

  it.each(['fed-avg', 'fed-sgd'] as const)(
    '%s: steps as far as the schedule of the plan says',
    async (strategy) => {
      const step = { strategy, optimizer: { name: 'sgd', learningRate: 1 }, batchSize: 40 } as const;
      const shape = { name: 'step', every: 4, factor: 0.25, warmupRounds: 1 } as const;
      const at = async (from: number) =>
        (await run({ ...step, schedule: { shape, from, span: 1, rounds: 9 } })).delta;
      const { delta: plain } = await run(step);
      expect(await at(4)).toEqual(plain);
      (await at(5)).forEach((d, i) => expect(d).toBeCloseTo(plain[i]! / 4, 6));
    },
  );

  it.each([
    ['every batch', 13, [], ['1/4', '2/4', '3/4', '4/4']],
    ['no batch of one before a norm over the batch', 13, [{ type: 'batch-norm' }], ['1/3', '2/3', '3/3']],
    ['a batch of two before it', 19, [{ type: 'batch-norm' }], ['1/3', '2/3', '3/3']],
  ])('counts %s as a step', async (_, batchSize, norm, expected) => {
    const layers = [...norm, { type: 'dense', units: 'outputs' }];
    const declaration = modelDeclarationSchema.parse({
      blocks: [{ name: 'trunk', layers, aggregate: 'local' }],
    });
    const own = new Network(declaration, { inputShape: [GENES], outputs: GENES });
    const start = new Float32Array(own.specs.reduce((n, { size }) => n + size, 0)).fill(0.5);
    const seen: string[] = [];
    const onStep = (step: number, steps: number): void => void seen.push(`${step}/${steps}`);
    const { steps } = await trainRound(
      { network: own, data, backend, job: job({ batchSize }), onStep },
      start,
    );
    expect(seen).toEqual(expected);
    expect(steps).toBe(expected.length);
  });

  it.each([
    ['a site of one unit', 1, 16],
    ['batches of one unit', 40, 1],
  ])(
    '%s makes no step before a norm over the batch: refused, not an update of zeros',
    async (_, n, batchSize) => {
      const declaration = modelDeclarationSchema.parse({
        blocks: [
          { name: 'norm', aggregate: 'local', layers: [{ type: 'batch-norm' }] },
          { name: 'trunk', layers: [{ type: 'dense', units: 'outputs' }] },
        ],
      });
      const own = new Network(declaration, { inputShape: [GENES], outputs: GENES });
      const start = new Float32Array(own.specs.reduce((sum, { size }) => sum + size, 0)).fill(0.5);
      const before = tf.memory().numTensors;
      const alone = { network: own, data: { ...data, n }, backend, job: job({ batchSize }) };
      await expect(trainRound(alone, start)).rejects.toMatchObject({ code: 'E_UNITS' });
      expect(tf.memory().numTensors).toBe(before);
    },
  );

  it('warms up within a round, step by step', async () => {
    const step = { optimizer: { name: 'sgd', learningRate: 1e-3 }, batchSize: 10 } as const;
    const schedule = { shape: { name: 'constant', warmupRounds: 1 }, from: 0, span: 1, rounds: 2 } as const;
    const [warm, plain] = [await run({ ...step, schedule }), await run(step)];
    // factors 1/4, 2/4, 3/4 and 1 of gradients that hardly change: 5/8 of the way
    const ratio = Math.hypot(...warm.delta) / Math.hypot(...plain.delta);
    expect(ratio).toBeGreaterThan(0.55);
    expect(ratio).toBeLessThan(0.7);
  });
});

describe('dropout', () => {
  const maskOf = (round: number, step: number): number[] =>
    tf.tidy(() => {
      const random = new RoundRandomness('07'.repeat(32), round);
      const ones = backend.allocate([4000]);
      backend.view(ones).fill(1);
      const context = { backend, training: true, randomOf: (layer: string) => random.dropout(step, layer) };
      return [...backend.view(dropout(ones, 0.3, 'trunk/1-dropout', context).output)];
    });

  it('drops the declared share, keeps the mean, and repeats only the same round and step', () => {
    const mask = maskOf(1, 1);
    const dropped = mask.filter((x) => x === 0).length / mask.length;
    expect(Math.abs(dropped - 0.3)).toBeLessThan(0.03);
    expect(mask.find((x) => x !== 0)).toBeCloseTo(1 / 0.7, 6);
    expect(maskOf(1, 1)).toEqual(mask);
    expect(maskOf(1, 2)).not.toEqual(mask);
    expect(maskOf(2, 1)).not.toEqual(mask);
  });
});
