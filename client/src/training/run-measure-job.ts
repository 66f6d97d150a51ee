import { RegulonError } from '@regulon/shared/errors';
import { loadUnits } from './data.js';
import { networkOf, weightsOf } from './job-model.js';
import { LayerClock } from './layer-clock.js';
import { layersOn } from './layers-on.js';
import type { MeasureJob, MeasureResult, TrainJob } from './job.js';
import { trainRound } from './loop.js';
import { checkMemory } from './memory.js';
import type { JobContext } from './run-job.js';

const STEPS = 20;
/** The first steps allocate and compile. */
const WARM_UP = 2;
const MOST_MILLISECONDS = 20_000;

/** Ends a measurement from inside the loop. */
class EnoughSteps extends Error {}

/**
 * Some steps of a training job, or as many as there is time for; weights and update are not kept.
 *
 * @throws E_UNITS if no step can be timed; else as training
 */
export async function runMeasureJob(job: MeasureJob, context: JobContext): Promise<MeasureResult> {
  const { backend } = context;
  const data = await loadUnits(job, 'train');
  const network = await networkOf(job, data.inputShape);
  checkMemory(network, data, job, context);
  const weights = await weightsOf(job, network, context.kept);
  const wanted = WARM_UP + (job.steps ?? STEPS);
  const epochs = Math.ceil(wanted / Math.max(1, Math.ceil(data.n / job.batchSize)));
  const clock = new LayerClock();
  const ends: number[] = [];
  const onStep = (): void => {
    ends.push(performance.now());
    clock.step();
    if (ends.length === WARM_UP) clock.restart();
    const spent = ends.at(-1)! - ends[0]!;
    if (ends.length >= wanted || (spent > MOST_MILLISECONDS && ends.length > WARM_UP))
      throw new EnoughSteps();
  };
  const measured: TrainJob = { ...job, epochs, strategy: 'fed-avg' };
  const layer = backend.hasOperations ? undefined : clock.around(layersOn(backend));
  const round = { network, data, backend, job: measured, onStep, ...(layer && { layer }) };
  await trainRound(round, weights).catch((error: unknown) => {
    if (!(error instanceof EnoughSteps)) throw error;
  });
  const steps = ends.slice(WARM_UP).map((end, i) => end - ends[i + WARM_UP - 1]!);
  const stepMilliseconds = steps.toSorted((a, b) => a - b)[steps.length >> 1];
  if (stepMilliseconds === undefined)
    throw new RegulonError('E_UNITS', 'too few units for a step that can be timed');
  return { stepMilliseconds, steps: steps.length, ...(layer && { layers: clock.milliseconds() }) };
}
