import type * as tf from '@tensorflow/tfjs-core';
import { rateFactor } from '@regulon/shared/plan';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitData, UnitInputs } from './data.js';
import type { TrainJob } from './job.js';
import type { LossSums } from './losses/index.js';
import type { Network, PassOptions } from './network.js';

/** What a round of local training works on. */
export interface LocalRound {
  readonly network: Network;
  readonly data: UnitData;
  readonly backend: TrainingBackend;
  readonly job: TrainJob;
  /** called after each step with sums so far in this epoch; may wait */
  readonly onStep?: (step: number, steps: number, sums: LossSums) => Promise<void> | void;
  /** the catalogue's layers in another way, e.g. timed */
  readonly layer?: PassOptions['layer'];
  /** [P], where the update is written: the weights themselves, or another array; a fresh one if absent */
  readonly delta?: Float32Array;
}

/** The rows of a batch as a tensor [batch, …unit]. */
export function batchTensor(data: UnitInputs, rows: readonly number[], backend: TrainingBackend): tf.Tensor {
  const width = data.inputShape.reduce((a, b) => a * b, 1);
  const tensor = backend.allocate([rows.length, ...data.inputShape]);
  const view = backend.view(tensor);
  rows.forEach((row, i) => view.set(data.features.subarray(row * width, (row + 1) * width), i * width));
  return tensor;
}

/** One tensor for each weight, in manifest order; the caller MUST dispose of them. */
export function weightTensors(
  network: Network,
  weights: Float32Array,
  backend: TrainingBackend,
): tf.Tensor[] {
  return network.specs.map((spec) => {
    const tensor = backend.allocate(spec.shape);
    backend.view(tensor).set(weights.subarray(spec.offset, spec.offset + spec.size));
    return tensor;
  });
}

/** local − global, flat, where the round wants it. */
export function updateOf(
  { network, backend, delta: asked }: LocalRound,
  local: readonly tf.Tensor[],
  global: Float32Array,
): Float32Array {
  const delta = asked ?? new Float32Array(global.length);
  network.specs.forEach(({ offset, size }, s) => {
    const values = backend.view(local[s]!);
    for (let i = 0; i < size; i++) delta[offset + i] = values[i]! - global[offset + i]!;
  });
  return delta;
}

/** What the plan's schedule makes of the learning rate at a step. */
export function factorOf({ schedule }: TrainJob, step: number, steps: number): number {
  return schedule ? rateFactor(schedule.shape, { ...schedule, step, steps }) : 1;
}
