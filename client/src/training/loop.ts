import * as tf from '@tensorflow/tfjs-core';
import { decays } from '@regulon/shared/models';
import { RegulonError } from '@regulon/shared/errors';
import { trainPrivately } from './dp-sgd/dp-sgd.js';
import { addedSums, type LossSums, NO_LOSS } from './losses/index.js';
import { batchTensor, factorOf, type LocalRound, updateOf, weightTensors } from './local-round.js';
import type { WeightUpdates } from './network.js';
import { Optimiser } from './optimisers/index.js';
import { RoundRandomness } from './randomness.js';
import { heapSlab } from './slab.js';

/** Units that the one step of `fed-sgd` holds in memory at once. */
const FULL_BATCH_PIECE = 512;

/**
 * Local training of one round, by the plan's strategy.
 *
 * @param weights flat weights [P], those that never leave the site behind the global ones; not changed
 * @returns update (local − global) of all of them and the sums of the last epoch
 * @throws E_LOSS_NOT_FINITE as soon as a loss is NaN or infinite; E_UNITS when no batch can be trained on: an update of
 * zeros would count as one
 */
export async function trainRound(
  round: LocalRound,
  weights: Float32Array,
): Promise<{ delta: Float32Array; sums: LossSums; steps: number }> {
  if (round.job.privacy) return trainPrivately(round, round.job.privacy, weights);
  return round.job.strategy === 'fed-sgd' ? fedSgd(round, weights) : fedAvg(round, weights);
}

/** @see McMahan et al. 2017, Algorithm 1, ClientUpdate */
async function fedAvg(round: LocalRound, global: Float32Array) {
  const { job, network, backend } = round;
  const slab = (size: number) => heapSlab(backend, size);
  const optimiser = new Optimiser(job.optimizer, network.specs, { slab, kernels: backend.kernels });
  const local = weightTensors(network, global, backend);
  try {
    const { sums, steps } = await epochs(round, local, optimiser);
    return { delta: updateOf(round, local, global), sums, steps };
  } finally {
    tf.dispose(local);
    optimiser.dispose();
  }
}

async function epochs(round: LocalRound, local: tf.Tensor[], optimiser: Optimiser) {
  const { job, data, backend } = round;
  const random = new RoundRandomness(job.shuffleKey, job.round);
  // statistics over a batch of one do not exist
  const least = round.network.needsPairs ? 2 : 1;
  const steps = job.epochs * batchesOf(data.n, job.batchSize, least);
  if (steps === 0) {
    throw new RegulonError('E_UNITS', 'no batch of this site has the 2 units that batch-norm needs', {
      hint: 'bring more training units, or propose a plan with group-norm instead',
    });
  }
  let step = 0;
  let sums = NO_LOSS;
  for (let epoch = 0; epoch < job.epochs; epoch++) {
    const order = random.permutation(data.n, epoch);
    sums = NO_LOSS;
    for (let at = 0; at < data.n; at += job.batchSize) {
      const rows = order.slice(at, at + job.batchSize);
      if (rows.length < least) continue;
      const batch = withGradients(round, local, rows, step, random, (gradients, { targetCount }, updates) => {
        const weights = local.map((tensor) => backend.view(tensor));
        const scale = stepScale(gradients, targetCount, job.gradientClip);
        optimiser.step(weights, gradients, scale, factorOf(job, step, steps));
        for (const { spec, values } of updates) weights[spec]!.set(values);
      });
      sums = addedSums(sums, batch);
      step++;
      await round.onStep?.(step, steps, sums);
    }
  }
  return { sums, steps };
}

/** Batches of an epoch that have at least so many units. */
function batchesOf(units: number, size: number, least: number): number {
  const whole = size >= least ? Math.floor(units / size) : 0;
  return whole + (units % size >= least ? 1 : 0);
}

/**
 * One step over all units: update = −η·(mean gradient + decay), so that the average of the sites' updates, weighted by
 * units, is the step of pooled gradient descent.
 */
async function fedSgd(round: LocalRound, global: Float32Array) {
  const { job, data, network, backend } = round;
  const random = new RoundRandomness(job.shuffleKey, job.round);
  const total = new Float64Array(global.length);
  const weights = weightTensors(network, global, backend);
  let sums = NO_LOSS;
  try {
    for (let at = 0; at < data.n; at += FULL_BATCH_PIECE) {
      const length = Math.min(FULL_BATCH_PIECE, data.n - at);
      const rows = Array.from({ length }, (_, i) => at + i);
      const part = withGradients(round, weights, rows, at, random, (gradients) => {
        network.specs.forEach((spec, s) => {
          const gradient = gradients[s]!;
          for (let i = 0; i < spec.size; i++) total[spec.offset + i] = total[spec.offset + i]! + gradient[i]!;
        });
      });
      sums = addedSums(sums, part);
      await round.onStep?.(1, 1, sums);
    }
  } finally {
    tf.dispose(weights);
  }
  const scale = stepScale([total], sums.targetCount, job.gradientClip);
  const { learningRate, weightDecay = 0 } = job.optimizer;
  const factor = factorOf(job, 0, 1);
  const delta = round.delta ?? new Float32Array(global.length);
  for (const spec of network.specs) {
    if (!spec.trainable) {
      delta.fill(0, spec.offset, spec.offset + spec.size);
      continue;
    }
    const decay = decays(spec) ? weightDecay : 0;
    const rate = learningRate * factor * spec.rate;
    for (let i = spec.offset; i < spec.offset + spec.size; i++) {
      delta[i] = -rate * (scale * total[i]! + decay * global[i]!);
    }
  }
  return { delta, sums, steps: 1 };
}

/** Forward and backward of one batch; the gradients are views that are valid inside `use` only. */
function withGradients(
  { network, data, backend, layer }: LocalRound,
  weights: readonly tf.Tensor[],
  rows: readonly number[],
  step: number,
  random: RoundRandomness,
  use: (gradients: Float32Array[], sums: LossSums, updates: WeightUpdates) => void,
): LossSums {
  return tf.tidy(() => {
    const context = { backend, training: true, randomOf: (layer: string) => random.dropout(step, layer) };
    const pass = network.forward(batchTensor(data, rows, backend), weights, context, layer ? { layer } : {});
    const gradient = backend.allocate(pass.output.shape);
    backend.view(gradient).set(backend.view(pass.output));
    const summed = data.lossOf(backend.view(gradient), rows);
    const sums = { ...summed, lossSum: summed.lossSum + pass.penalty };
    if (!Number.isFinite(sums.lossSum)) {
      throw new RegulonError('E_LOSS_NOT_FINITE', `the loss of step ${step + 1} is not finite`);
    }
    const gradients = pass.backward(gradient);
    use(
      gradients.map((tensor) => backend.view(tensor)),
      sums,
      pass.updates,
    );
    return sums;
  });
}

/** Factor from summed to mean gradient, and down to the norm bound if there is one. */
function stepScale(
  gradients: readonly (Float32Array | Float64Array)[],
  targets: number,
  clip: number | undefined,
): number {
  const mean = targets > 0 ? 1 / targets : 0;
  if (clip === undefined) return mean;
  let squares = 0;
  for (const gradient of gradients) for (let i = 0; i < gradient.length; i++) squares += gradient[i]! ** 2;
  const norm = Math.sqrt(squares) * mean;
  return norm > clip ? (mean * clip) / norm : mean;
}
