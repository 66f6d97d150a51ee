import { loadUnits } from './data.js';
import { networkOf, weightsOf } from './job-model.js';
import type { MeasureResult, TrainJob } from './job.js';
import { trainRound } from './loop.js';
import { checkMemory } from './memory.js';
import type { JobContext } from './run-job.js';

const STEPS = 20;
/** The first steps allocate and compile. */
const WARM_UP = 2;
const MOST_MILLISECONDS = 20_000;

/** Ends a measurement from inside the loop. */
class EnoughSteps extends Error {}

/** Twenty steps of a training job, or as many as there is time for; weights and update are not kept. */
export async function runMeasureJob(job: TrainJob, context: JobContext): Promise<MeasureResult> {
  const { backend } = context;
  const data = await loadUnits(job, 'train');
  const network = await networkOf(job, data.inputShape);
  checkMemory(network, data, job, context);
  const weights = await weightsOf(job, network);
  const epochs = Math.ceil((STEPS + WARM_UP) / Math.max(1, Math.ceil(data.n / job.batchSize)));
  const ends: number[] = [];
  const onStep = (): void => {
    ends.push(performance.now());
    const spent = ends.at(-1)! - ends[0]!;
    if (ends.length >= STEPS + WARM_UP || (spent > MOST_MILLISECONDS && ends.length > WARM_UP))
      throw new EnoughSteps();
  };
  const measured: TrainJob = { ...job, epochs, strategy: 'fed-avg' };
  await trainRound({ network, data, backend, job: measured, onStep }, weights).catch((error: unknown) => {
    if (!(error instanceof EnoughSteps)) throw error;
  });
  const steps = ends.slice(WARM_UP).map((end, i) => end - ends[i + WARM_UP - 1]!);
  const stepMilliseconds = steps.toSorted((a, b) => a - b)[steps.length >> 1] ?? Infinity;
  return { stepMilliseconds, steps: steps.length };
}
