import { RegulonError } from '@regulon/shared/errors';
import { parameterCount, travellingWeights } from '@regulon/shared/models';
import { headsWeigh } from '@regulon/shared/plan';
import type { HeadTraining } from '@regulon/shared/program';
import type { TrainingBackend } from './backends/backend.js';
import { loadUnits } from './data.js';
import { verifyPatientLevel } from './dp-sgd/patient-level.js';
import { evaluateUnits } from './evaluate.js';
import { lossesOfUnits } from './unit-losses.js';
import { writeFloat32 } from './files.js';
import { headShare } from './head-share.js';
import { INFERENCE_BATCH } from './inference.js';
import { verifyNoImprint } from './imprint.js';
import { networkOf, weightsOf } from './job-model.js';
import type { Beat, EvaluateJob, EvaluateResult, TrainJob, TrainResult } from './job.js';
import type { KeptArray } from './kept-array.js';
import { trainRound } from './loop.js';
import { type LossSums, NO_LOSS, termsOf } from './losses/index.js';
import { checkInferenceMemory, checkMemory } from './memory.js';
import type { Network } from './network.js';

export interface JobContext {
  readonly backend: TrainingBackend;
  readonly memoryLimitMb?: number;
  /** for the weights of one job after the other */
  readonly kept?: KeptArray;
  readonly onBeat: (beat: Beat) => void;
}

const BEAT_MILLISECONDS = 500;

/** One round of local training: files in, update file and sums out. */
export async function runTrainJob(job: TrainJob, context: JobContext): Promise<TrainResult> {
  const started = performance.now();
  verifyPatientLevel(job);
  const data = await loadUnits(job, 'train');
  const network = await networkOf(job, data.inputShape);
  checkMemory(network, data, job, context);
  const weights = await weightsOf(job, network, context.kept);
  verifyNoImprint(network, weights);
  const own = weights.slice(parameterCount(travellingWeights(network.specs)));
  const onStep = beatEvery(context.onBeat);
  const stepsFrom = performance.now();
  const round = { network, data, backend: context.backend, job, onStep };
  // the update takes the place of the weights: one array of that size, not two
  const trained = await trainRound({ ...round, delta: weights }, weights);
  const { heads, ...sums } = trained.sums;
  const { steps } = trained;
  const stepMilliseconds = (performance.now() - stepsFrom) / Math.max(1, steps);
  const headSums = headsOf(network, heads);
  weighHeads(job, network, trained.delta, headSums.heads ?? [], data.n);
  const delta = await keepLocalWeights(job, own, trained.delta);
  let deltaNormSquared = 0;
  for (let i = 0; i < delta.length; i++) deltaNormSquared += delta[i]! * delta[i]!;
  if (!Number.isFinite(deltaNormSquared)) {
    throw new RegulonError('E_LOSS_NOT_FINITE', 'the update is not finite');
  }
  const deltaSha256 = await writeFloat32(job.deltaPath, delta, job.sparePath);
  const seconds = (performance.now() - started) / 1000;
  const { backend } = context;
  return {
    ...{ count: data.n, ...sums, ...headSums, steps, seconds, stepMilliseconds },
    ...{ deltaSha256, deltaNormSquared, backend: backend.name },
  };
}

/** In a block that only one head reads, an update weighs as the units with its target do. @param delta [P]; changed */
function weighHeads(
  job: TrainJob,
  { specs }: Network,
  delta: Float32Array,
  heads: readonly HeadTraining[],
  units: number,
): void {
  if (!headsWeigh(job)) return;
  const share = headShare(job.declaration, heads, units);
  for (const spec of specs) {
    const factor = share(spec);
    for (let i = spec.offset; factor !== 1 && i < spec.offset + spec.size; i++) delta[i] = delta[i]! * factor;
  }
}

/** Sums of each head by its name. */
function headsOf({ heads: resolved }: Network, heads: LossSums['heads']): { heads?: HeadTraining[] } {
  if (!heads) return {};
  return {
    heads: resolved.map((head, h) => ({ block: head.block, terms: termsOf(head), ...(heads[h] ?? NO_LOSS) })),
  };
}

/**
 * Write the weights that never leave this site; what is left of the update travels.
 *
 * @param own those weights before training
 */
async function keepLocalWeights(
  job: TrainJob,
  own: Float32Array,
  delta: Float32Array,
): Promise<Float32Array> {
  if (own.length === 0) return delta;
  const travelling = delta.length - own.length;
  const local = own.map((w, i) => w + delta[travelling + i]!);
  if (!local.every(Number.isFinite)) {
    throw new RegulonError('E_LOSS_NOT_FINITE', 'a weight of this site is not finite');
  }
  if (job.nextLocalWeightsPath !== undefined) await writeFloat32(job.nextLocalWeightsPath, local);
  return delta.subarray(0, travelling);
}

/** Score a model on a site's own units: sums. */
export async function runEvaluateJob(job: EvaluateJob, context: JobContext): Promise<EvaluateResult> {
  const started = performance.now();
  const data = await loadUnits(job, 'test');
  const network = await networkOf(job, data.inputShape);
  checkInferenceMemory(network, data, INFERENCE_BATCH, context);
  const weights = await weightsOf(job, network, context.kept);
  const sums = evaluateUnits(network, weights, data, context.backend, job.scores, job.heads);
  if (job.lossesPath !== undefined)
    await writeFloat32(job.lossesPath, lossesOfUnits(network, weights, data, context.backend));
  const { lossSum, targetCount, confusion, heads, scores } = sums;
  return {
    count: data.n,
    lossSum,
    ...(heads ? { heads } : data.labels ? { confusion } : { squaredError: lossSum, targetCount }),
    ...(scores ? { scores: Array.from(scores) } : {}),
    seconds: (performance.now() - started) / 1000,
  };
}

/** Report progress at most every so often, and let the process look at its messages then. */
export function beatEvery(onBeat: (beat: Beat) => void, milliseconds = BEAT_MILLISECONDS) {
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
