import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitInputs } from './data.js';
import { batchTensor, weightTensors } from './local-round.js';
import type { Network } from './network.js';
import type { PassContext } from './ops/op.js';

/** Units of one pass. */
export const INFERENCE_BATCH = 256;

/** A pass outside of training: nothing in it is random. */
export function inferenceOn(backend: TrainingBackend): PassContext {
  return { backend, training: false, randomOf: noRandomness };
}

/**
 * Outputs of all units, batch by batch.
 *
 * @param weights flat [P]
 * @param use gets the outputs [batch, …] as its own copy, and the positions of their units
 */
export function outputsInBatches(
  network: Network,
  weights: Float32Array,
  data: UnitInputs,
  backend: TrainingBackend,
  use: (values: Float32Array, rows: readonly number[]) => void,
): void {
  const tensors = weightTensors(network, weights, backend);
  const context = inferenceOn(backend);
  const one = (rows: readonly number[]): void => {
    const { output } = network.forward(batchTensor(data, rows, backend), tensors, context);
    use(Float32Array.from(backend.view(output)), rows);
  };
  try {
    for (let at = 0; at < data.n; at += INFERENCE_BATCH) {
      const rows = Array.from({ length: Math.min(INFERENCE_BATCH, data.n - at) }, (_, i) => at + i);
      tf.tidy(() => one(rows));
    }
  } finally {
    tf.dispose(tensors);
  }
}

function noRandomness(): never {
  throw new RegulonError('E_INTERNAL', 'a pass outside of training draws no random numbers');
}
