import { RegulonError } from '@regulon/shared/errors';
import type { Loss, ResolvedHead } from '@regulon/shared/models';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitInputs } from './data.js';
import { outputsInBatches } from './inference.js';
import type { ModelJob } from './job.js';
import { meanOf } from './losses/index.js';
import type { Network } from './network.js';

/**
 * What a model expects of each unit: probabilities of classes, chances of yes, rates of counts, hazards; else its output.
 *
 * @param weights flat [P]
 * @returns row-major [n, numbers of all heads]
 * @throws E_NOT_FINITE if one is NaN or infinite
 */
export function predictionsOf(
  network: Network,
  weights: Float32Array,
  data: UnitInputs,
  backend: TrainingBackend,
  task: ModelJob['task'],
): Float32Array {
  const width = network.heads.reduce((n, { size }) => n + size, 0);
  const predictions = new Float32Array(data.n * width);
  outputsInBatches(network, weights, data, backend, (values, rows) => {
    for (let at = 0; at < values.length; at += width) {
      for (const head of network.heads) {
        const from = at + head.offset;
        replaceByExpected(head, lossOf(head, task), values.subarray(from, from + head.size));
      }
    }
    predictions.set(values, rows[0]! * width);
  });
  if (predictions.every(Number.isFinite)) return predictions;
  throw new RegulonError('E_NOT_FINITE', 'a prediction is not finite', {
    hint: 'check the preparation of the samples, and the model that they are given to',
  });
}

function lossOf({ loss }: ResolvedHead, task: ModelJob['task']): Loss | undefined {
  return loss ?? (task === 'classify' ? { type: 'cross-entropy', smoothing: 0 } : undefined);
}

/** Outputs of one unit and head, replaced by what they stand for. */
function replaceByExpected({ shape }: ResolvedHead, loss: Loss | undefined, outputs: Float32Array): void {
  if (loss?.type === 'cross-entropy') return softmax(outputs, shape.at(-1) ?? 1);
  // a hazard is a logit as a yes or no is
  const meaning: Loss | undefined =
    loss?.type === 'discrete-time' ? { type: 'binary-cross-entropy', positiveWeight: 1 } : loss;
  outputs.forEach((y, i) => (outputs[i] = meanOf(meaning, y)));
}

function softmax(logits: Float32Array, classes: number): void {
  for (let at = 0; at < logits.length; at += classes) {
    const row = logits.subarray(at, at + classes);
    const top = Math.max(...row);
    const powers = Array.from(row, (y) => Math.exp(y - top));
    const total = powers.reduce((sum, p) => sum + p, 0);
    row.set(powers.map((p) => p / total));
  }
}
