import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import {
  exactRate,
  RandomWords,
  samplingThreshold,
  verifyNoise,
  type WordSource,
} from '@regulon/shared/privacy';
import type { PrivateTraining } from '../job.js';
import { factorOf, type LocalRound, updateOf, weightTensors } from '../local-round.js';
import { NO_LOSS } from '../losses/index.js';
import { Optimiser } from '../optimisers/index.js';
import { RoundRandomness } from '../randomness.js';
import { heapSlab } from '../slab.js';
import { clippedSum, type GradientSource } from './clipped-sum.js';
import { type Normals, NormalsHere } from './normals.js';
import { NormalsAhead } from './normals-ahead.js';
import { StepSum } from './step-sum.js';
import { poissonSample, type Records, recordsByPatient } from './patients.js';

/** The noisy sum is rounded to this part of the clip norm: low bits of a floating-point sampler would tell its input. */
const GRID = 2 ** -20;
const MOST_NOISE = 2 ** 20;

/**
 * DP-SGD by patient: every step draws patients by chance, sums their clipped gradients, adds noise once, and divides by a
 * constant. A step that drew nobody is noise, and a step all the same.
 *
 * @param global flat weights [P]; not changed
 * @param asked source of sampling and noise in a spec; else both come from the operating system, and much noise from a
 *   thread that draws it ahead
 * @returns update of all weights; no loss, since no noise covers one
 * @throws E_PRIVACY, E_CLIP_NORM naming a parameter that protects nobody
 * @throws E_LOSS_NOT_FINITE, E_TRAINER_CRASH when the thread of the noise ended; nothing is returned then
 * @see Abadi et al. 2016 (arXiv:1607.00133), Algorithm 1; docs/privacy.md
 */
export async function trainPrivately(
  round: LocalRound,
  privacy: PrivateTraining,
  global: Float32Array,
  asked?: WordSource,
): Promise<{ delta: Float32Array; sums: typeof NO_LOSS; steps: number }> {
  verifyPrivacy(privacy);
  const { job, network, data, backend } = round;
  const patients = recordsByPatient(data.n, data.patients, {
    most: privacy.recordsPerPatient,
    key: privacy.recordKey,
  });
  const threshold = samplingThreshold(privacy.samplingRate);
  const slab = (size: number) => heapSlab(backend, size);
  const optimiser = new Optimiser(job.optimizer, network.specs, { slab, kernels: backend.kernels });
  const weights = weightTensors(network, global, backend);
  const random = new RoundRandomness(job.shuffleKey, job.round);
  const lossScale = 1 / termsOfLoss(round);
  const from: GradientSource = { network, data, backend, weights, lossScale };
  const records = patients.reduce((n, { length }) => n + length, 0);
  const sum = new StepSum(network.specs, records <= job.batchSize);
  const noise = noiseOf(privacy);
  const source = asked ?? new RandomWords();
  const normals = asked ? new NormalsHere(asked) : normalsOf(round, privacy, source);
  try {
    for (let step = 0; step < privacy.steps; step++) {
      const context = { randomOf: (layer: string) => random.dropout(step, layer) };
      sum.clear();
      for (const piece of pieces(poissonSample(patients, threshold, source), job.batchSize))
        clippedSum(from, piece, privacy.clipNorm, context, (spec, part) => sum.add(spec, part));
      await sum.addNoise(normals, noise);
      const views = weights.map((tensor) => backend.view(tensor));
      optimiser.step(views, sum.means, 1, factorOf(job, step, privacy.steps));
      await round.onStep?.(step + 1, privacy.steps, NO_LOSS);
    }
    return { delta: updateOf(round, weights, global), sums: NO_LOSS, steps: privacy.steps };
  } finally {
    await normals.close();
    tf.dispose(weights);
    optimiser.dispose();
  }
}

/** @throws E_PRIVACY, E_CLIP_NORM */
function verifyPrivacy({ steps, noiseMultiplier, clipNorm, patients }: PrivateTraining): void {
  verifyNoise(noiseMultiplier);
  // far beyond it a noisy sum leaves the numbers whose grid is exact
  if (noiseMultiplier > MOST_NOISE)
    throw new RegulonError('E_PRIVACY', `the noise multiplier z must be at most ${MOST_NOISE}`);
  if (!(clipNorm > 0) || !Number.isFinite(clipNorm))
    throw new RegulonError('E_CLIP_NORM', 'the bound of the gradient of a patient must be a positive number');
  if (!Number.isInteger(steps) || steps < 1)
    throw new RegulonError('E_PRIVACY', 'a private round has a whole number of steps, 1 or more');
  if (!(patients >= 1) || !Number.isFinite(patients))
    throw new RegulonError('E_PRIVACY', 'the number that stands for the patients must be at least 1');
}

/** Terms of the loss of one record: constants of the model, whatever the data are. */
function termsOfLoss({ job, network }: LocalRound): number {
  return job.task === 'reconstruct' ? network.outputShape.reduce((a, b) => a * b, 1) : 1;
}

/** Whole patients in turns of at most so many records, or one patient: what lies in memory at once. */
function* pieces(sample: readonly Records[], most: number): Generator<Records[]> {
  let piece: Records[] = [];
  let size = 0;
  for (const records of sample) {
    if (piece.length > 0 && size + records.length > most) {
      yield piece;
      [piece, size] = [[], 0];
    }
    piece.push(records);
    size += records.length;
  }
  if (piece.length > 0) yield piece;
}

/** Where the noise of a whole training is drawn. */
function normalsOf({ network }: LocalRound, { steps }: PrivateTraining, source: WordSource): Normals {
  const draws = network.specs.reduce((n, { trainable, size }) => n + (trainable ? size : 0), 0);
  return NormalsAhead.isWorth(draws * steps) ? new NormalsAhead(draws) : new NormalsHere(source);
}

/** Of the sum of a step, which is divided by the constant q·N̂. */
function noiseOf({ noiseMultiplier, clipNorm, samplingRate, patients }: PrivateTraining) {
  return {
    sigma: noiseMultiplier * clipNorm,
    grid: clipNorm * GRID,
    denominator: exactRate(samplingRate) * patients,
  };
}
