import { beforeAll, describe, expect, it } from '@jest/globals';
import { initialWeights, KeyedGenerator, modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { BlasBackend } from './backends/blas.js';
import { CpuBackend } from './backends/cpu.js';
import { findBlas } from './backends/find-blas.js';
import { WasmBackend } from './backends/wasm.js';
import type { UnitData } from './data.js';
import type { TrainJob } from './job.js';
import { trainRound } from './loop.js';
import { softmaxCrossEntropy } from './losses/index.js';
import { Network } from './network.js';

const UNITS = 24;
const SHAPE = [30, 4];

/** Every kind of kernel: convolution, pooling, both gates, dense, dropout. */
const network = new Network(
  modelDeclarationSchema.parse({
    blocks: [
      {
        name: 'trunk',
        layers: [
          { type: 'conv1d', filters: 8, kernel: 3, activation: 'relu' },
          { type: 'max-pool1d', size: 2 },
          { type: 'gru', units: 8, returnSequences: true },
          { type: 'dropout', rate: 0.25 },
          { type: 'lstm', units: 12 },
          { type: 'dense', units: 16, activation: 'tanh' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  }),
  { inputShape: SHAPE, outputs: 3 },
);
const random = new KeyedGenerator(new Uint8Array(32).fill(21));
const features = Float32Array.from({ length: UNITS * 120 }, () => 2 * random.uniform() - 1);
const labels = Int32Array.from({ length: UNITS }, (_, i) => i % 3);
const data: UnitData = {
  ...{ n: UNITS, inputShape: SHAPE, features, labels },
  lossOf: (output, rows) =>
    softmaxCrossEntropy(
      output,
      rows.map((row) => labels[row]!),
      3,
    ),
};
const weights = new Float32Array(
  [...initialWeights(network.specs, { seed: 3, arm: 0 })].flatMap((p) => [...p]),
);

const train = (backend: TrainingBackend, shuffleKey = '05'.repeat(32)) => {
  backend.activate();
  const job = {
    ...{ epochs: 10, batchSize: 8, strategy: 'fed-avg', round: 0, shuffleKey },
    optimizer: { name: 'adam', learningRate: 3e-3 },
  } as TrainJob;
  return trainRound({ network, data, backend, job }, weights);
};

const library = findBlas(process.env['REGULON_ACCELERATOR']);
const backends: [string, typeof it.skip, () => Promise<TrainingBackend>][] = [
  ['wasm', it, () => WasmBackend.start()],
  ['blas', library ? it : it.skip, () => BlasBackend.startWith(library!, 1)],
];

describe.each(backends)('training on %s (blas needs an OpenBLAS)', (name, when, start) => {
  let backend: TrainingBackend;
  beforeAll(async () => {
    if (when === it) backend = await start();
  });

  when('gives the same bytes for the same seed, run after run, and others for another', async () => {
    const [first, second, other] = [
      await train(backend),
      await train(backend),
      await train(backend, '06'.repeat(32)),
    ];
    expect(Buffer.from(second.delta.buffer).equals(Buffer.from(first.delta.buffer))).toBe(true);
    expect(Buffer.from(other.delta.buffer).equals(Buffer.from(first.delta.buffer))).toBe(false);
  });

  when('ends with the loss of the plain JavaScript loops (1e-4 relative)', async () => {
    const { sums, steps } = await train(backend);
    const plain = await train(await CpuBackend.start());
    expect(steps).toBe(30);
    expect(sums.lossSum).toBeLessThan(UNITS * Math.log(3));
    expect(Math.abs(sums.lossSum / plain.sums.lossSum - 1)).toBeLessThan(1e-4);
    expect([name, sums.correct]).toEqual([name, plain.sums.correct]);
  });
});
