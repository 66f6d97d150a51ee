import { isRegulonError } from '@regulon/shared/errors';
import { type BackendChoice, type Candidate, chainOf, isThere } from '../backends/candidates.js';
import type { MeasureJob, MeasureResult } from '../job.js';
import { Trainer, type TrainerStart } from '../trainer.js';
import type { StepTimes } from './store.js';

/** The members of a chain that are on this machine. */
export function membersThere(choice: BackendChoice, acceleratorFolder: string | undefined): Candidate[] {
  return chainOf(choice).filter((name) => isThere(name, acceleratorFolder));
}

/**
 * Steps of a job on each of some backends, one after the other, each in a process of its own.
 *
 * @param signal ends it, with the process that is measured
 * @returns milliseconds of a step; a backend that does not pass its self-test, or cannot take the job, has none
 */
export async function measureSteps(
  job: MeasureJob,
  names: readonly Candidate[],
  options: TrainerStart,
  signal?: AbortSignal,
): Promise<StepTimes> {
  const times: StepTimes = {};
  for (const name of names) {
    if (signal?.aborted) break;
    try {
      times[name] = (await measureOn(name, job, options, signal)).stepMilliseconds;
    } catch (error) {
      // whatever it is, it comes again, with its name, if this backend is taken after all
      if (!isRegulonError(error)) throw error;
    }
  }
  return times;
}

/** Steps of a job on one backend, in a process that ends by `signal`. @throws as `Trainer.start` and `Trainer.measure` */
export async function measureOn(
  name: Candidate,
  job: MeasureJob,
  options: TrainerStart,
  signal?: AbortSignal,
): Promise<MeasureResult> {
  const trainer = await Trainer.start({ ...options, backend: name });
  const end = (): void => void trainer.close();
  signal?.addEventListener('abort', end);
  if (signal?.aborted) end();
  try {
    return await trainer.measure(job);
  } finally {
    signal?.removeEventListener('abort', end);
    await trainer.close();
  }
}

/** The backend with the shortest step, if any was measured. */
export function fastestOf(times: StepTimes): Candidate | undefined {
  const entries = Object.entries(times) as [Candidate, number][];
  return entries.sort(([, a], [, b]) => a - b)[0]?.[0];
}
