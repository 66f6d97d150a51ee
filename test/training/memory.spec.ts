import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Trainer, type TrainJob } from '@regulon/client/training';
import { initialWeights, KeyedGenerator, manifestOf, modelDeclarationSchema } from '@regulon/shared/models';

const [UNITS, STEPS, CHANNELS, CLASSES] = [64, 100, 4, 3];
const EPOCHS = 126;
/** A step works on about 2 MiB: one that kept a fiftieth of it would show. */
const GROWTH_LIMIT = 32 * 2 ** 20;

/** One of each kind of kernel. */
const declaration = modelDeclarationSchema.parse({
  blocks: [
    {
      name: 'trunk',
      layers: [
        { type: 'conv1d', filters: 16, kernel: 5, dilation: 2, activation: 'relu' },
        { type: 'max-pool1d', size: 4 },
        { type: 'layer-norm' },
        { type: 'gru-v3', units: 16, returnSequences: true },
        { type: 'lstm', units: 16 },
        { type: 'dropout', rate: 0.25 },
        { type: 'dense', units: 'outputs' },
      ],
    },
  ],
});

let folder: string;
let trainer: Trainer;
const beats: { step: number; residentBytes: number }[] = [];
beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-memory-'));
  trainer = await Trainer.start({ folder, backend: 'wasm', onBeat: (beat) => beats.push(beat) });
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

describe('memory of a trainer', () => {
  it('stays flat over 1,000 steps', async () => {
    const random = new KeyedGenerator(new Uint8Array(32).fill(4));
    const inputShape = [STEPS, CHANNELS];
    const features = Float32Array.from({ length: UNITS * STEPS * CHANNELS }, () => random.uniform() - 0.5);
    const specs = manifestOf(declaration, { inputShape, outputs: CLASSES });
    const weights = [...initialWeights(specs, { seed: 1, arm: 0 })].flatMap((piece) => [...piece]);
    const job: TrainJob = {
      ...{ declaration, inputShape, outputs: CLASSES, task: 'classify' },
      data: {
        featuresPath: await file('features', features),
        targetsPath: await file(
          'classes',
          Int32Array.from({ length: UNITS }, (_, i) => i % CLASSES),
        ),
        ...{ shape: [UNITS, ...inputShape], n: UNITS },
      },
      weightsPath: await file('weights', Float32Array.from(weights)),
      deltaPath: path.join(folder, 'delta'),
      ...{ epochs: EPOCHS, batchSize: 8, strategy: 'fed-avg', shuffleKey: 'cd'.repeat(32), round: 0 },
      optimizer: { name: 'adam', learningRate: 1e-3 },
    };
    // the first beats fall into the time in which V8 still compiles
    const settled = () => beats.filter(({ step }) => step >= 200);
    // a fast machine is through before its second beat, and trains again
    for (let jobs = 0; jobs < 10 && settled().length < 3; jobs++)
      expect((await trainer.train(job)).steps).toBe(1008);
    const seen = settled();
    expect(seen.length).toBeGreaterThan(1);
    const growth = seen.at(-1)!.residentBytes - seen[0]!.residentBytes;
    expect(growth).toBeLessThan(GROWTH_LIMIT);
  });
});
