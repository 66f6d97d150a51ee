import { RegulonError } from '@regulon/shared/errors';
import type { UnitData } from './data.js';
import type { TrainJob } from './job.js';
import type { Network } from './network.js';
import { momentsOf } from './optimisers/index.js';

const MEBIBYTE = 1 << 20;
const WASM_HEAP_LIMIT = 4096 * MEBIBYTE;
/** Node, TensorFlow.js and the module itself, before the first tensor. */
const BASE = 90 * MEBIBYTE;

/**
 * Upper estimate of what training a model takes, in bytes.
 *
 * On the heap: weights, gradient, the optimiser's moments, activations of one batch forward and backward with unfolded
 * windows. Beside it: global weights, update, features.
 */
function estimateMemory(network: Network, data: UnitData, job: TrainJob): { total: number; heap: number } {
  const parameters = network.specs.reduce((n, spec) => n + spec.size, 0);
  const batch = job.strategy === 'fed-sgd' ? Math.min(data.n, 512) : Math.min(data.n, job.batchSize);
  const moments = job.strategy === 'fed-avg' ? momentsOf(job.optimizer) : 0;
  const heap = 4 * ((2 + moments) * parameters + 4 * batch * network.activationSize);
  const total = BASE + heap + 4 * (2 * parameters + data.features.length);
  return { total, heap };
}

/**
 * Refuse a job that cannot fit, before anything is allocated for it.
 *
 * @throws E_TRAINER_OOM with both numbers
 */
export function checkMemory(
  network: Network,
  data: UnitData,
  job: TrainJob,
  limitMb: number | undefined,
): void {
  const { total, heap } = estimateMemory(network, data, job);
  const limit = limitMb === undefined ? Infinity : limitMb * MEBIBYTE;
  if (total > limit || heap > WASM_HEAP_LIMIT) {
    const allowed = Math.round(Math.min(limit, WASM_HEAP_LIMIT) / MEBIBYTE);
    const message = `training needs about ${Math.ceil(total / MEBIBYTE)} MB, ${allowed} MB are allowed`;
    throw new RegulonError('E_TRAINER_OOM', message);
  }
}
