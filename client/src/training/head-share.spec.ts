import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { WasmBackend } from './backends/wasm.js';
import { loadUnits } from './data.js';
import { drawer } from './gradient-check.support.js';
import { JobFiles } from './job-files.support.js';
import { networkOf, weightsOf } from './job-model.js';
import type { TrainJob } from './job.js';
import { trainRound } from './loop.js';
import { runTrainJob } from './run-job.js';

const UNITS = 24;
/** Units with a class, and with a number. */
const [CLASSES, NUMBERS] = [18, 6];
let backend: TrainingBackend;
let files: JobFiles;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
});
afterAll(async () => files.remove());

const block = (name: string, from: string, units: number | string) => ({
  ...{ name, from, layers: [{ type: 'dense', units }] },
});

async function jobOf(more: Partial<TrainJob> = {}): Promise<TrainJob> {
  const declaration = modelDeclarationSchema.parse({
    blocks: [
      ...[block('trunk', 'features', 4), block('subtype', 'trunk', 'outputs')],
      ...[block('path', 'trunk', 3), block('grading', 'path', 1)],
    ],
    heads: [
      { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
      { block: 'grading', loss: { type: 'squared-error' } },
    ],
  });
  const targets = Float32Array.from(
    Array.from({ length: UNITS }, (_, u) => [
      u < CLASSES ? u % 2 : -1,
      u >= UNITS - NUMBERS ? u / 10 : NaN,
    ]).flat(),
  );
  return {
    ...{ declaration, inputShape: [5], outputs: 1, task: 'heads', strategy: 'fed-avg' },
    data: {
      ...{ featuresPath: await files.write('features', drawer(3)(UNITS * 5)), shape: [UNITS, 5], n: UNITS },
      targetsPath: await files.write('targets', targets),
    },
    weightsPath: await files.write('weights', drawer(8)(24 + 10 + 15 + 4, 0.4)),
    ...{ deltaPath: files.at('delta'), epochs: 2, batchSize: 7, round: 1, shuffleKey: 'ab'.repeat(32) },
    optimizer: { name: 'adam', learningRate: 0.01 },
    ...more,
  };
}

describe('the update of a site in blocks that only one head reads', () => {
  it('weighs as the units with its target do; a block of several heads as all units do', async () => {
    const job = await jobOf();
    const data = await loadUnits(job, 'train');
    const network = await networkOf(job, data.inputShape);
    const plain = await trainRound({ network, data, backend, job }, await weightsOf(job, network));
    const result = await runTrainJob(job, { backend, onBeat: () => undefined });
    expect(result.heads?.map(({ targetCount }) => targetCount)).toEqual([CLASSES, NUMBERS]);
    const delta = await files.read('delta');
    const shares: Record<string, number> = { trunk: 1, subtype: CLASSES / UNITS };
    for (const spec of network.specs) {
      const share = shares[spec.block] ?? NUMBERS / UNITS;
      for (let i = spec.offset; i < spec.offset + spec.size; i++) {
        expect(Math.abs(plain.delta[i]!)).toBeGreaterThan(0);
        expect(delta[i]).toBeCloseTo(share * plain.delta[i]!, 7);
      }
    }
    const norm = delta.reduce((sum, x) => sum + x * x, 0);
    expect(result.deltaNormSquared).toBeCloseTo(norm, 8);
  });

  it('is left alone by FedSGD: the average by units is pooled descent', async () => {
    const optimizer = { name: 'sgd', learningRate: 0.01 } as const;
    const job = await jobOf({ strategy: 'fed-sgd', optimizer });
    const data = await loadUnits(job, 'train');
    const network = await networkOf(job, data.inputShape);
    const plain = await trainRound({ network, data, backend, job }, await weightsOf(job, network));
    await runTrainJob(job, { backend, onBeat: () => undefined });
    expect(await files.read('delta')).toEqual(plain.delta);
  });
});
