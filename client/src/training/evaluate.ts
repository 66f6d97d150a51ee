import * as tf from '@tensorflow/tfjs-core';
import { RegulonError } from '@regulon/shared/errors';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitData } from './data.js';
import { inferenceOn } from './inference.js';
import { addedSums, type LossSums, NO_LOSS } from './losses/index.js';
import { batchTensor, weightTensors } from './loop.js';
import type { Network } from './network.js';

const BATCH = 256;

export interface EvaluationSums {
  readonly lossSum: number;
  readonly targetCount: number;
  /** K × K, row = true class; empty where there are no classes */
  readonly confusion: number[];
  /** outputs of all units, [n, …]; empty unless asked for */
  readonly predictions: Float32Array;
  /** sums of each head, where the task has several */
  readonly heads?: readonly (LossSums & { readonly block: string })[];
}

/**
 * Score a model on a site's units.
 *
 * @param weights flat [P]
 * @throws E_LOSS_NOT_FINITE if an output is NaN or infinite
 */
export function evaluateUnits(
  network: Network,
  weights: Float32Array,
  data: UnitData,
  backend: TrainingBackend,
  wantsPredictions: boolean,
): EvaluationSums {
  const classes = network.frame.outputs;
  const confusion = new Array<number>(data.labels ? classes * classes : 0).fill(0);
  const width = network.outputShape.reduce((a, b) => a * b, 1);
  const predictions = new Float32Array(wantsPredictions ? data.n * width : 0);
  let total = NO_LOSS;
  const heads = network.heads.map(({ block }) => ({ block, ...NO_LOSS }));
  let hasHeads = false;
  const tensors = weightTensors(network, weights, backend);
  const context = inferenceOn(backend);
  const score = (rows: readonly number[]): void => {
    const { output } = network.forward(batchTensor(data, rows, backend), tensors, context);
    const values = Float32Array.from(backend.view(output));
    if (wantsPredictions) predictions.set(values, rows[0]! * width);
    if (data.labels) countClasses(values, rows, data.labels, classes, confusion);
    const sums = data.lossOf(values, rows);
    total = addedSums(total, sums);
    if (!('heads' in sums)) return;
    hasHeads = true;
    sums.heads.forEach((head, h) => Object.assign(heads[h]!, addedSums(heads[h]!, head)));
  };
  try {
    for (let at = 0; at < data.n; at += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, data.n - at) }, (_, i) => at + i);
      tf.tidy(() => score(rows));
    }
  } finally {
    tf.dispose(tensors);
  }
  const { lossSum, targetCount } = total;
  if (!Number.isFinite(lossSum)) {
    throw new RegulonError('E_LOSS_NOT_FINITE', 'the loss of the evaluation is not finite');
  }
  return { lossSum, targetCount, confusion, predictions, ...(hasHeads ? { heads } : {}) };
}

function countClasses(
  logits: Float32Array,
  rows: readonly number[],
  labels: Int32Array,
  classes: number,
  confusion: number[],
): void {
  rows.forEach((row, i) => {
    let best = 0;
    for (let k = 1; k < classes; k++) if (logits[i * classes + k]! > logits[i * classes + best]!) best = k;
    confusion[labels[row]! * classes + best]! += 1;
  });
}
