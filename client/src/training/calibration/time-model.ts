import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { Candidate } from '../backends/candidates.js';
import type { MeasureResult } from '../job.js';
import type { ProcessOptions } from '../trainer-process.js';
import { fastestOf, measureOn, membersThere } from './calibrate.js';
import { madeUpJob, type TimedModel } from './made-up-job.js';
import type { StepTimes } from './store.js';

/** How long a training step of a model takes on this machine. */
export interface ModelTime {
  /** of the backend that a site would train with: the fastest */
  readonly stepMilliseconds: number;
  /** of each layer, there and back, by name; null on a backend that does not tell */
  readonly layers: Readonly<Record<string, number>> | null;
  readonly backend: Candidate;
  /** units of a step */
  readonly batchSize: number;
  readonly threads: number;
  /** every backend of this machine that takes the model */
  readonly milliseconds: StepTimes;
}

/**
 * Train some steps on numbers without meaning, on each backend of this machine, in a process of its own.
 *
 * @param say told which backend is measured
 * @throws E_TRAINER_OOM before anything is started; E_BACKEND and the errors of `Trainer.measure` when no backend takes the
 *   model
 */
export async function timeModel(
  model: TimedModel,
  options: Omit<ProcessOptions, 'folder'>,
  say: (backend: Candidate) => void,
): Promise<ModelTime> {
  const { backend: choice = 'auto', acceleratorFolder, threads = 1 } = options;
  const folder = await mkdtemp(path.join(os.tmpdir(), 'regulon-step-'));
  try {
    const job = await madeUpJob(model, folder, options);
    const milliseconds: StepTimes = {};
    const results = new Map<Candidate, MeasureResult>();
    let failure: RegulonError | undefined;
    for (const name of membersThere(choice, acceleratorFolder)) {
      say(name);
      try {
        const result = await measureOn(name, job, { ...options, folder });
        if (result.steps === 0) throw new RegulonError('E_UNITS', 'a batch of one unit is not trained on');
        results.set(name, result);
        milliseconds[name] = result.stepMilliseconds;
      } catch (error) {
        if (!isRegulonError(error)) throw error;
        failure ??= error;
      }
    }
    const backend = fastestOf(milliseconds);
    const fastest = backend && results.get(backend);
    if (!fastest) throw failure ?? new RegulonError('E_BACKEND', `${choice}: not on this machine`);
    const { stepMilliseconds, layers = null } = fastest;
    return {
      ...{ stepMilliseconds, layers, backend, milliseconds, batchSize: model.batchSize },
      threads: backend === 'wasm' ? 1 : threads,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
