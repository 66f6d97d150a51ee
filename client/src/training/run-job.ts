import { RegulonError } from '@regulon/shared/errors';
import { parameterCount } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import { loadUnits } from './data.js';
import { evaluateUnits } from './evaluate.js';
import { readFloat32, writeFloat32 } from './files.js';
import type { Beat, EvaluateJob, EvaluateResult, TrainJob, TrainResult } from './job.js';
import { trainRound } from './loop.js';
import { checkMemory } from './memory.js';
import { Network } from './network.js';

export interface JobContext {
  readonly backend: TrainingBackend;
  readonly memoryLimitMb?: number;
  readonly onBeat: (beat: Beat) => void;
}

const BEAT_MILLISECONDS = 500;

/** One round of local training: files in, update file and sums out. */
export async function runTrainJob(job: TrainJob, context: JobContext): Promise<TrainResult> {
  const started = performance.now();
  const data = await loadUnits(job, 'train');
  const network = new Network(job.declaration, { inputShape: data.inputShape, outputs: job.outputs });
  checkMemory(network, data, job, context.memoryLimitMb);
  const weights = await readFloat32(job.weightsPath, parameterCount(network.specs), 'weights');
  const onStep = beatEvery(BEAT_MILLISECONDS, context.onBeat);
  const { delta, sums, steps } = await trainRound(
    { network, data, backend: context.backend, job, onStep },
    weights,
  );
  const deltaNormSquared = delta.reduce((sum, x) => sum + x * x, 0);
  if (!Number.isFinite(deltaNormSquared)) {
    throw new RegulonError('E_LOSS_NOT_FINITE', 'the update is not finite');
  }
  const deltaSha256 = await writeFloat32(job.deltaPath, delta);
  const seconds = (performance.now() - started) / 1000;
  const { backend } = context;
  return { count: data.n, ...sums, steps, seconds, deltaSha256, deltaNormSquared, backend: backend.name };
}

/** Score a model on a site's own units: sums, and on request the outputs as a file that stays here. */
export async function runEvaluateJob(job: EvaluateJob, context: JobContext): Promise<EvaluateResult> {
  const started = performance.now();
  const data = await loadUnits(job, 'test');
  const network = new Network(job.declaration, { inputShape: data.inputShape, outputs: job.outputs });
  const weights = await readFloat32(job.weightsPath, parameterCount(network.specs), 'weights');
  const wantsPredictions = job.predictionsPath !== undefined;
  const sums = evaluateUnits(network, weights, data, context.backend, wantsPredictions);
  if (job.predictionsPath !== undefined) await writeFloat32(job.predictionsPath, sums.predictions);
  const { lossSum, targetCount, confusion } = sums;
  return {
    count: data.n,
    lossSum,
    ...(data.labels ? { confusion } : { squaredError: lossSum, targetCount }),
    ...(wantsPredictions ? { predictionsPath: job.predictionsPath } : {}),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Report progress at most every so often, and let the process look at its messages then. */
function beatEvery(milliseconds: number, onBeat: (beat: Beat) => void) {
  let last = performance.now();
  return (step: number, steps: number, sums: { lossSum: number; targetCount: number }) => {
    const now = performance.now();
    if (now - last < milliseconds) return undefined;
    last = now;
    const { lossSum, targetCount } = sums;
    onBeat({ step, steps, lossSum, count: targetCount, residentBytes: process.memoryUsage.rss() });
    return new Promise<void>((resolve) => setImmediate(resolve));
  };
}
