import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from './backends/wasm.js';
import { JobFiles } from './job-files.support.js';
import type { TrainJob } from './job.js';
import { runTrainJob } from './run-job.js';

const [GENES, HIDDEN, CLASSES, UNITS] = [6, 4, 2, 8];
let backend: WasmBackend;
let files: JobFiles;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
});
afterAll(async () => files.remove());

/** @param weightOf of the first layer, by input and unit */
async function jobOf(weightOf: (gene: number, unit: number) => number): Promise<TrainJob> {
  const declaration = modelDeclarationSchema.parse({
    blocks: [
      {
        name: 'net',
        layers: [
          { type: 'dense', units: HIDDEN, activation: 'relu' },
          { type: 'dense', units: 'outputs' },
        ],
      },
    ],
  });
  const first = Array.from({ length: GENES * HIDDEN }, (_, i) =>
    weightOf(Math.floor(i / HIDDEN), i % HIDDEN),
  );
  const rest = Array.from({ length: HIDDEN + HIDDEN * CLASSES + CLASSES }, (_, i) => Math.sin(i) / 4);
  const features = Float32Array.from({ length: UNITS * GENES }, (_, i) => Math.sin(3 * i));
  const classes = Int32Array.from({ length: UNITS }, (_, u) => u % CLASSES);
  const data = {
    featuresPath: await files.write('features', features),
    targetsPath: await files.write('classes', classes),
    ...{ shape: [UNITS, GENES], n: UNITS },
  };
  return {
    ...{ declaration, inputShape: [GENES], outputs: CLASSES, task: 'classify', strategy: 'fed-avg', data },
    weightsPath: await files.write('weights', Float32Array.from([...first, ...rest])),
    deltaPath: files.at('delta'),
    ...{ epochs: 1, batchSize: 4, optimizer: { name: 'sgd', learningRate: 0.1 }, round: 1 },
    shuffleKey: '01'.repeat(32),
  };
}

describe('the process that trains', () => {
  const train = async (weightOf: (gene: number, unit: number) => number): Promise<unknown> =>
    runTrainJob(await jobOf(weightOf), { backend, onBeat: () => undefined });

  it('trains on honest weights, and refuses an imprint layer before a step', async () => {
    await expect(train((gene, unit) => Math.sin(5 * gene + 11 * unit))).resolves.toMatchObject({
      count: UNITS,
    });
    await expect(train((gene) => Math.sin(5 * gene))).rejects.toMatchObject({ code: 'E_IMPRINT' });
  });
});
