import { RegulonError } from '@regulon/shared/errors';
import { type HeadShape, scoreLength, type ScoreShape, scoreSums } from '@regulon/shared/genomics';
import type { TrainingBackend } from './backends/backend.js';
import type { UnitData } from './data.js';
import { type HeadEvaluation, scoreHeads } from './head-scores.js';
import { outputsInBatches } from './inference.js';
import { addedSums, NO_LOSS } from './losses/index.js';
import type { Network } from './network.js';

export interface EvaluationSums {
  readonly lossSum: number;
  readonly targetCount: number;
  /** K × K, row = true class; empty where there are no classes */
  readonly confusion: number[];
  /** sums of each head, where the task has several */
  readonly heads?: readonly HeadEvaluation[];
  /** what `scoreSums` gives for all units, where scores are asked for */
  readonly scores?: Float64Array;
}

/**
 * Score a model on a site's units.
 *
 * @param weights flat [P]
 * @param shape scores that are summed as well
 * @param headShapes what is summed of each head of a task of several
 * @throws E_LOSS_NOT_FINITE if an output is NaN or infinite
 * @throws E_ARGUMENT if a score does not fit the task
 */
export function evaluateUnits(
  network: Network,
  weights: Float32Array,
  data: UnitData,
  backend: TrainingBackend,
  shape?: ScoreShape,
  headShapes?: readonly HeadShape[],
): EvaluationSums {
  if (data.heads && shape)
    throw new RegulonError('E_ARGUMENT', 'a task of several heads has no single scores');
  if (data.heads) return evaluateHeads(network, weights, data, data.heads, backend, headShapes);
  const classes = network.frame.outputs;
  const confusion = new Array<number>(data.labels ? classes * classes : 0).fill(0);
  let total = NO_LOSS;
  const scores = shape ? new Float64Array(scoreLength(shape)) : undefined;
  outputsInBatches(network, weights, data, backend, (values, rows) => {
    if (data.labels) countClasses(values, rows, data.labels, classes, confusion);
    // before the loss, which leaves its gradient in place of the outputs
    if (shape) scoresOf(shape, data, values, rows).forEach((x, k) => (scores![k]! += x));
    total = addedSums(total, data.lossOf(values, rows));
  });
  const { lossSum, targetCount } = total;
  verifyLoss(lossSum);
  return { lossSum, targetCount, confusion, ...(scores ? { scores } : {}) };
}

function verifyLoss(lossSum: number): void {
  if (!Number.isFinite(lossSum))
    throw new RegulonError('E_LOSS_NOT_FINITE', 'the loss of the evaluation is not finite');
}

function evaluateHeads(
  network: Network,
  weights: Float32Array,
  data: UnitData,
  { own, targets }: NonNullable<UnitData['heads']>,
  backend: TrainingBackend,
  shapes: readonly HeadShape[] | undefined,
): EvaluationSums {
  const width = network.heads.reduce((n, { size }) => n + size, 0);
  const outputs = new Float32Array(data.n * width);
  outputsInBatches(network, weights, data, backend, (values, rows) => outputs.set(values, rows[0]! * width));
  const heads = scoreHeads(own, shapes, outputs, targets, data.n);
  const { lossSum, targetCount } = data.lossOf(outputs, [...Array(data.n).keys()]);
  verifyLoss(lossSum);
  return { lossSum, targetCount, confusion: [], heads };
}

function scoresOf(
  shape: ScoreShape,
  data: UnitData,
  values: Float32Array,
  rows: readonly number[],
): Float64Array {
  if (!data.scored) throw new RegulonError('E_ARGUMENT', 'this task has no single scores');
  return scoreSums(shape, data.scored(values, rows));
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
