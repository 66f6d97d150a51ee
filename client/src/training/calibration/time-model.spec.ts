import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { modelDeclarationSchema, resolveModel } from '@regulon/shared/models';
import { WasmBackend } from '../backends/wasm.js';
import { modelClasses } from '../model-classes.support.js';
import { runMeasureJob } from '../run-measure-job.js';
import { Dice } from '../toy-tasks.support.js';
import { madeUpJob, type TimedModel } from './made-up-job.js';
import { timeModel } from './time-model.js';

let backend: WasmBackend;
let folder: string;
beforeAll(async () => {
  backend = await WasmBackend.start();
});
beforeEach(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-time-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** A class of models as a plan would declare it; its files are not at hand. */
function timed(name: string): TimedModel {
  const { model, units, inputShape, outputs, task } = modelClasses[name]!;
  return {
    declaration: modelDeclarationSchema.parse(model),
    frame: { inputShape: inputShape ?? [units(1, new Dice(1)).features[0]!.length], outputs },
    task: task === 'heads' ? 'reconstruct' : task,
    batchSize: 8,
    optimizer: { name: 'sgd', learningRate: 1e6 },
  };
}

describe('the time of a step', () => {
  it.each(Object.keys(modelClasses))('can be measured without data: %s', async (name) => {
    const job = await madeUpJob(timed(name), folder);
    const {
      stepMilliseconds,
      steps,
      layers = {},
    } = await runMeasureJob(job, { backend, onBeat: () => undefined });
    expect(steps).toBe(5);
    expect(stepMilliseconds).toBeGreaterThan(0);
    const { blocks } = resolveModel(job.declaration, job);
    const names = blocks.flatMap((block) => block.layers.map((layer) => layer.name));
    expect(Object.keys(layers)).toEqual(names);
  });

  it('is not measured, and nothing is written, when an estimate says that memory does not do', async () => {
    const model = timed('1D CNN');
    const huge = { ...model, batchSize: 60_000 };
    await expect(madeUpJob(huge, folder, { memoryLimitMb: 100 })).rejects.toMatchObject({
      code: 'E_TRAINER_OOM',
    });
    expect(await readdir(folder)).toEqual([]);
    expect(await madeUpJob(model, folder, { memoryLimitMb: 100 })).toMatchObject({ batchSize: 8 });
  });

  it('does not exist for batches of one unit with statistics over the batch', async () => {
    const alone = { ...timed('MLP with batch statistics of its site (FedBN)'), batchSize: 1 };
    await expect(timeModel(alone, { backend: 'wasm' }, () => undefined)).rejects.toMatchObject({
      code: 'E_UNITS',
    });
  });

  it('names what is wrong when no backend takes the model', async () => {
    const missing = timeModel(
      timed('1D CNN'),
      { backend: 'gpu', acceleratorFolder: folder },
      () => undefined,
    );
    await expect(missing).rejects.toMatchObject({ code: 'E_BACKEND' });
  });
});
