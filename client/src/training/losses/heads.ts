import type { Loss, ResolvedHead } from '@regulon/shared/models';
import { coxLoss } from '@regulon/shared/genomics';
import { discreteTimeLoss } from './discrete-time.js';
import { elementwise, elementwiseOf } from './elementwise.js';
import type { LossSums } from './loss-sums.js';
import { softmaxCrossEntropy } from './softmax-cross-entropy.js';

/**
 * One loss over a batch.
 *
 * @param output [batch, …shape]; replaced by the gradient of the sum
 * @param targets [batch, target size of the loss]
 * @param classes last dimension of the output
 */
export function lossOf(loss: Loss, output: Float32Array, targets: Float32Array, classes: number): LossSums {
  switch (loss.type) {
    case 'cross-entropy':
      return softmaxCrossEntropy(output, targets, classes, loss);
    case 'cox':
      return coxOfBatch(output, targets, loss.ties);
    case 'discrete-time':
      return discreteTimeLoss(output, targets, loss.edges);
    case 'binary-cross-entropy':
    case 'focal':
    case 'squared-error':
    case 'absolute-error':
    case 'huber':
    case 'poisson':
      return elementwise(elementwiseOf(loss), output, targets);
  }
}

function coxOfBatch(risk: Float32Array, targets: Float32Array, ties: 'breslow' | 'efron'): LossSums {
  const column = (c: 0 | 1): Float32Array => targets.filter((_, i) => i % 2 === c);
  const { loss, gradient, events } = coxLoss({ risk, time: column(0), event: column(1) }, ties);
  risk.set(gradient);
  return { lossSum: loss, targetCount: events, correct: 0 };
}

/** A head with its loss. */
export type HeadOfTask = ResolvedHead & { readonly loss: Loss; readonly targetSize: number };

/**
 * Losses of several heads: Σ over heads of weight · loss / numbers of its target, summed over the batch's units.
 *
 * @param output [batch, sum of the heads' sizes]; replaced by the gradient of the sum
 * @param targets [batch, sum of the target sizes]
 */
export function lossOfHeads(
  heads: readonly HeadOfTask[],
  output: Float32Array,
  targets: Float32Array,
  batch: number,
): LossSums {
  const width = output.length / batch;
  const targetWidth = targets.length / batch;
  let lossSum = 0;
  const sums = heads.map((head): LossSums => {
    const own = columnsOf(output, batch, width, head.offset, head.size);
    const goals = columnsOf(targets, batch, targetWidth, head.targetOffset, head.targetSize);
    const sum = lossOf(head.loss, own, goals, head.shape.at(-1) ?? 1);
    const scale = head.weight / termsOf(head);
    for (let b = 0; b < batch; b++) {
      for (let i = 0; i < head.size; i++)
        output[b * width + head.offset + i] = scale * own[b * head.size + i]!;
    }
    lossSum += scale * sum.lossSum;
    return sum;
  });
  return { lossSum, targetCount: batch, correct: sums[0]?.correct ?? 0, heads: sums };
}

/** How many terms the loss of a unit has: heads of many outputs weigh as much as others. */
export function termsOf({ loss, targetSize = 1, size }: ResolvedHead): number {
  if (loss?.type === 'cox') return 1;
  return loss?.type === 'discrete-time' ? size : targetSize;
}

/** Some columns of a batch's rows, side by side; a new array. */
export function columnsOf(
  rows: Float32Array,
  batch: number,
  width: number,
  offset: number,
  size: number,
): Float32Array {
  const out = new Float32Array(batch * size);
  for (let b = 0; b < batch; b++)
    out.set(rows.subarray(b * width + offset, b * width + offset + size), b * size);
  return out;
}
