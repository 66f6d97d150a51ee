import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { WasmBackend } from './backends/wasm.js';
import { drawer } from './gradient-check.support.js';
import { JobFiles } from './job-files.support.js';
import type { TrainJob } from './job.js';
import { KeptArray } from './kept-array.js';
import { runEvaluateJob, runTrainJob } from './run-job.js';

const GENES = 6;
const UNITS = 12;
let backend: WasmBackend;
let files: JobFiles;
beforeAll(async () => {
  backend = await WasmBackend.start();
  files = await JobFiles.make();
});
afterAll(async () => files.remove());

/** A job with a block of this site, a frozen one and one that travels. */
async function jobOf(strategy: TrainJob['strategy'], name: string): Promise<TrainJob> {
  const declaration = modelDeclarationSchema.parse({
    blocks: [
      { name: 'own', aggregate: 'local', layers: [{ type: 'dense', units: 4, activation: 'tanh' }] },
      { name: 'frozen', freeze: true, layers: [{ type: 'dense', units: 3, activation: 'tanh' }] },
      { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] },
    ],
  });
  const draw = drawer(3);
  return {
    ...{ declaration, inputShape: [GENES], outputs: 2, task: 'classify', strategy },
    data: {
      featuresPath: await files.write('features', draw(UNITS * GENES)),
      targetsPath: await files.write(
        'classes',
        Int32Array.from({ length: UNITS }, (_, u) => u % 2),
      ),
      ...{ shape: [UNITS, GENES], n: UNITS },
    },
    weightsPath: await files.write('weights', draw(4 * 3 + 3 + 3 * 2 + 2, 0.5)),
    localWeightsPath: await files.write('local', draw(GENES * 4 + 4, 0.5)),
    ...{ deltaPath: files.at(`${name}-delta`), nextLocalWeightsPath: files.at(`${name}-local`) },
    ...{ epochs: 2, batchSize: 5, optimizer: { name: 'adam', learningRate: 0.01 }, round: 1 },
    shuffleKey: '01'.repeat(32),
  };
}

describe('an array that is kept from job to job', () => {
  it.each(['fed-avg', 'fed-sgd'] as const)('changes no byte of what %s gives', async (strategy) => {
    const kept = new KeptArray();
    const onBeat = () => undefined;
    const fresh = await runTrainJob(await jobOf(strategy, 'fresh'), { backend, onBeat });
    const job = await jobOf(strategy, 'kept');
    const results: unknown[] = [];
    for (let round = 0; round < 3; round++) {
      const { deltaSha256, deltaNormSquared } = await runTrainJob(job, { backend, onBeat, kept });
      results.push({ deltaSha256, deltaNormSquared });
      // the update stands in the array now: the next job reads its own weights over it
      await runEvaluateJob(job, { backend, onBeat, kept });
    }
    const { deltaSha256, deltaNormSquared } = fresh;
    expect(results).toEqual(Array(3).fill({ deltaSha256, deltaNormSquared }));
    expect(await files.read('kept-local')).toEqual(await files.read('fresh-local'));
    expect(deltaNormSquared).toBeGreaterThan(0);
    const delta = await files.read('kept-delta');
    expect(delta.slice(0, 4 * 3 + 3)).toEqual(new Float32Array(4 * 3 + 3));
  });

  it('is the same for jobs of the same size, and of the right length for others', () => {
    const kept = new KeptArray();
    const first = kept.take(8);
    expect(kept.take(8)).toBe(first);
    expect(kept.take(5)).toHaveLength(5);
  });
});
