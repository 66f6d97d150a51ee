import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitInputs } from './data.js';
import type { TrainJob } from './job.js';
import type { Network } from './network.js';
import { momentsOf } from './optimisers/index.js';

const MEBIBYTE = 1 << 20;
const WASM_HEAP_LIMIT = 4096 * MEBIBYTE;
/** Node, TensorFlow.js and the module itself, before the first tensor. */
const BASE = 90 * MEBIBYTE;
/** libtensorflow, loaded. */
const TENSORFLOW_BASE = 350 * MEBIBYTE;

/** What a job holds at once. */
interface Load {
  /** what it is, for people */
  readonly what: string;
  /** copies of the weights among the tensors, and beside them */
  readonly copies: { readonly tensors: number; readonly arrays: number };
  /** units of one pass */
  readonly batch: number;
  /** activations of a pass: forward, backward, unfolded windows */
  readonly activations: number;
  /** further numbers beside the tensors */
  readonly numbers: number;
}

/** What the weights and activations of a model take. */
type Sizes = Pick<Network, 'specs' | 'activationSize'>;
/** Units, and how many numbers they are. */
interface UnitCount {
  readonly n: number;
  readonly features: { readonly length: number };
}

/** Who asks, and what for. */
export interface MemoryLimits {
  readonly backend: Pick<TrainingBackend, 'hasOperations'>;
  /** of the site's configuration */
  readonly memoryLimitMb?: number;
}

/**
 * Refuse a training job that cannot fit, before anything is allocated for it: weights, gradient and moments; activations
 * of one batch; weights or update, and features beside them.
 *
 * @throws E_TRAINER_OOM with both numbers
 */
export function checkMemory(network: Sizes, data: UnitCount, job: TrainJob, limits: MemoryLimits): void {
  const isFedSgd = job.strategy === 'fed-sgd';
  const moments = isFedSgd ? 0 : momentsOf(job.optimizer);
  const load: Load = {
    what: 'training',
    // the update takes the place of the weights; sums of several passes are float64, a private step has the mean in float32
    // and noise of a step in float64 ahead
    copies: { tensors: 2 + moments, arrays: arraysOf(job, data.n) },
    batch: Math.min(data.n, isFedSgd ? 512 : Math.max(job.batchSize, job.privacy?.recordsPerPatient ?? 0)),
    ...{ activations: 4, numbers: 0 },
  };
  refuseOverload(network, data, load, limits);
}

function arraysOf({ privacy, strategy, batchSize }: TrainJob, units: number): number {
  if (privacy) return units <= batchSize ? 4 : 6;
  return strategy === 'fed-sgd' ? 3 : 1;
}

/**
 * The same for evaluation and prediction, which only go forward.
 *
 * @param batch units of one pass
 * @throws E_TRAINER_OOM
 */
export function checkInferenceMemory(
  network: Network,
  data: UnitInputs,
  batch: number,
  limits: MemoryLimits,
): void {
  const outputs = network.outputShape.reduce((a, b) => a * b, 1);
  const load: Load = {
    what: 'inference',
    copies: { tensors: 1, arrays: 1 },
    batch: Math.min(data.n, batch),
    ...{ activations: 2, numbers: data.n * outputs },
  };
  refuseOverload(network, data, load, limits);
}

/**
 * The same for attributions, which go back to the units' rows.
 *
 * @param batch rows of one pass
 * @throws E_TRAINER_OOM
 */
export function checkAttributionMemory(
  network: Network,
  data: UnitInputs,
  batch: number,
  limits: MemoryLimits,
): void {
  const load: Load = {
    what: 'attribution',
    copies: { tensors: 2, arrays: 1 },
    batch,
    // a map of every unit, and the sums of squares in float64
    ...{ activations: 4, numbers: data.features.length },
  };
  refuseOverload(network, data, load, limits);
}

function refuseOverload(
  network: Sizes,
  data: UnitCount,
  { what, copies, batch, activations, numbers }: Load,
  { backend, memoryLimitMb }: MemoryLimits,
): void {
  const parameters = network.specs.reduce((n, spec) => n + spec.size, 0);
  const tensors = 4 * (copies.tensors * parameters + activations * batch * network.activationSize);
  const arrays = 4 * (copies.arrays * parameters + data.features.length + numbers);
  const total = BASE + (backend.hasOperations ? TENSORFLOW_BASE : 0) + tensors + arrays;
  const limit = memoryLimitMb === undefined ? Infinity : memoryLimitMb * MEBIBYTE;
  const heap = backend.hasOperations ? Infinity : WASM_HEAP_LIMIT;
  if (total <= limit && tensors <= heap) return;
  const allowed = Math.round(Math.min(limit, heap) / MEBIBYTE);
  const needed = Math.ceil(total / MEBIBYTE);
  throw new RegulonError('E_TRAINER_OOM', `${what} needs about ${needed} MB, ${allowed} MB are allowed`);
}
