import { RegulonError } from '@regulon/shared/errors';
import { type HeadScored, headScoreSums, type HeadShape } from '@regulon/shared/genomics';
import { columnsOf, type HeadOfTask, lossOf, meanOf } from './losses/index.js';

/** What is summed of a head over all units of a site. */
export interface HeadEvaluation {
  readonly block: string;
  readonly lossSum: number;
  /** numbers that `lossSum` sums over */
  readonly targetCount: number;
  /** what `headScoreSums` gives */
  readonly scores: readonly number[];
}

/**
 * Score each head over all units at once: risk sets, and pairs of units, are those of the whole site.
 *
 * @param outputs row-major [units, numbers of all heads]; not changed
 * @param targets row-major [units, numbers of all targets]
 * @param shapes of the heads, in their order; absent: nothing but the losses is summed
 * @throws E_LOSS_NOT_FINITE if an output is NaN or infinite
 */
export function scoreHeads(
  heads: readonly HeadOfTask[],
  shapes: readonly HeadShape[] | undefined,
  outputs: Float32Array,
  targets: Float32Array,
  units: number,
): HeadEvaluation[] {
  const [width, targetWidth] = [outputs.length / units, targets.length / units];
  return heads.map((head, h): HeadEvaluation => {
    const shape = shapes?.[h];
    if (shapes && !shape)
      throw new RegulonError('E_ARGUMENT', `nothing says how head ${head.block} is scored`);
    const own = columnsOf(outputs, units, width, head.offset, head.size);
    const goals = columnsOf(targets, units, targetWidth, head.targetOffset, head.targetSize);
    const scores = shape ? Array.from(headScoreSums(shape, scoredOf(head, own, goals))) : [];
    const { lossSum, targetCount } = lossOf(head.loss, own, goals, head.shape.at(-1) ?? 1);
    return { block: head.block, lossSum, targetCount, scores };
  });
}

function scoredOf({ loss, shape }: HeadOfTask, outputs: Float32Array, targets: Float32Array): HeadScored {
  const column = (c: 0 | 1): Float32Array => targets.filter((_, i) => i % 2 === c);
  switch (loss.type) {
    case 'cross-entropy':
      return { logits: outputs, labels: targets };
    case 'cox':
      return { risk: Float64Array.from(outputs), time: column(0), event: column(1) };
    case 'discrete-time':
      return { risk: risksOf(outputs, shape.at(-1) ?? 1), time: column(0), event: column(1) };
    case 'squared-error':
    case 'absolute-error':
    case 'huber':
    case 'poisson':
    case 'binary-cross-entropy':
    case 'focal':
      return { predicted: outputs.map((y) => meanOf(loss, y)), truth: targets };
  }
}

/** Risk of each unit: minus the number of intervals that it is expected to live through. */
function risksOf(logits: Float32Array, intervals: number): Float64Array {
  return Float64Array.from({ length: logits.length / intervals }, (_, unit) => {
    let [alive, lived] = [1, 0];
    for (let k = 0; k < intervals; k++) {
      alive /= 1 + Math.exp(logits[unit * intervals + k] ?? NaN);
      lived += alive;
    }
    return -lived;
  });
}
