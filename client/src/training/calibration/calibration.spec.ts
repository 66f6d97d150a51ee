import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema } from '@regulon/shared/models';
import { compiledBlas, hasCompiler, installBlas } from '../backends/fake-blas.support.js';
import type { TrainJob } from '../job.js';
import { Trainer } from '../trainer.js';
import { TRAINER_RECORD } from '../trainer-record.js';
import { fastestOf, measureSteps, membersThere } from './calibrate.js';
import { CalibratedTrainer } from './calibrated-trainer.js';
import { jobOf } from './reference-jobs.js';
import { calibrationKey, storedTimes, storeTimes } from './store.js';

let folder: string;
let job: TrainJob;
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-calibration-'));
  const layers = [
    { type: 'dense', units: 16, activation: 'relu' },
    { type: 'dense', units: 'outputs' },
  ];
  job = await jobOf({ inputShape: [40], layers }, folder, 'small');
});
afterEach(() => rm(folder, { recursive: true }));

describe('the times of steps', () => {
  it('are measured over twenty steps, and nothing is written', async () => {
    const [times, none] = [
      await measureSteps(job, ['wasm'], { folder }),
      await measureSteps(job, ['gpu'], { folder, acceleratorFolder: folder }),
    ];
    expect(times.wasm).toBeGreaterThan(0);
    expect(none).toEqual({});
    await expect(readFile(job.deltaPath)).rejects.toThrow();
  });

  it('are none for a model that makes no step of these units', async () => {
    const declaration = modelDeclarationSchema.parse({
      blocks: [
        { name: 'norm', layers: [{ type: 'batch-norm' }], aggregate: 'local' },
        { name: 'trunk', layers: [{ type: 'dense', units: 'outputs' }] },
      ],
    });
    const file = async (name: string, values: Float32Array | Int32Array): Promise<string> => {
      await writeFile(path.join(folder, name), values);
      return path.join(folder, name);
    };
    const alone: TrainJob = {
      ...{ ...job, declaration },
      data: {
        ...{ featuresPath: await file('unit', new Float32Array(40).fill(1)), shape: [1, 40], n: 1 },
        targetsPath: await file('class', new Int32Array(1)),
      },
      weightsPath: await file('travelling', new Float32Array(40 * 2 + 2)),
      localWeightsPath: await file('local', new Float32Array(4 * 40).fill(1)),
    };
    const trainer = await Trainer.start({ folder });
    await expect(trainer.measure(alone)).rejects.toMatchObject({ code: 'E_UNITS' });
    await trainer.close();
  });

  it('are kept by model and machine; a damaged file counts as none', async () => {
    const file = path.join(folder, 'state', 'calibration.json');
    const machine = { threads: 1, acceleratorFolder: folder };
    const key = calibrationKey(job, machine);
    expect(calibrationKey({ ...job, shuffleKey: '01', round: 7 }, machine)).toBe(key);
    expect(calibrationKey({ ...job, batchSize: 8 }, machine)).not.toBe(key);
    expect(calibrationKey(job, { ...machine, threads: 2 })).not.toBe(key);
    storeTimes(file, key, { wasm: 2, blas: 1 });
    storeTimes(file, 'other', { wasm: 3 });
    expect(storedTimes(file)).toEqual({ [key]: { wasm: 2, blas: 1 }, other: { wasm: 3 } });
    storeTimes(file, 'nothing could be measured', {});
    expect(Object.keys(storedTimes(file))).toEqual([key, 'other']);
    await writeFile(file, '{"schema":"regulon.calibration/1","steps":{"a":{"wasm":-1}}}');
    expect(storedTimes(file)).toEqual({});
  });

  it('give the fastest backend, and none without any', () => {
    expect(fastestOf({ wasm: 2, blas: 1, gpu: 3 })).toBe('blas');
    expect(fastestOf({})).toBeUndefined();
  });
});

const withCompiler = hasCompiler ? it : it.skip;

describe('a calibrated trainer', () => {
  withCompiler(
    'that is closed while it measures ends at once, and keeps no times (needs a C compiler)',
    async () => {
      await installBlas(folder, await compiledBlas(folder, 0));
      const calibrationFile = path.join(folder, 'calibration.json');
      const trainer = await CalibratedTrainer.start({ folder, acceleratorFolder: folder, calibrationFile });
      const trained = trainer.train(job);
      await Promise.all([trainer.close(), expect(trained).rejects.toMatchObject({ code: 'E_STATE' })]);
      await expect(readFile(calibrationFile)).rejects.toThrow('ENOENT');
    },
  );

  withCompiler(
    'goes over to the faster backend before its first round, from stored times the second time (needs a C compiler)',
    async () => {
      await installBlas(folder, await compiledBlas(folder, 0));
      expect(membersThere('auto', folder)).toEqual(['blas', 'wasm']);
      const calibrationFile = path.join(folder, 'calibration.json');
      const record = path.join(folder, TRAINER_RECORD);
      const trainOnce = async (): Promise<{ backend: string; calibration: object }> => {
        await rm(record, { force: true });
        const trainer = await CalibratedTrainer.start({ folder, acceleratorFolder: folder, calibrationFile });
        await trainer.train(job);
        await trainer.close();
        const [first = ''] = (await readFile(record, 'utf8')).split('\n');
        return JSON.parse(first) as { backend: string; calibration: object };
      };
      const measured = await trainOnce();
      const [key = ''] = Object.keys(storedTimes(calibrationFile));
      const times = storedTimes(calibrationFile)[key]!;
      expect(Object.keys(times).sort()).toEqual(['blas', 'wasm']);
      expect(measured).toMatchObject({ backend: fastestOf(times), calibration: times });
      for (const backend of ['wasm', 'blas'] as const) {
        const stored = { wasm: 5, blas: 5, [backend]: 1 };
        storeTimes(calibrationFile, key, stored);
        expect(await trainOnce()).toMatchObject({ backend, calibration: stored });
      }
    },
  );
});
