/** Sums over a batch; nothing per unit. A type, not an interface: `tf.tidy` passes only those through. */
export type LossSums = {
  readonly lossSum: number;
  /** how many numbers `lossSum` sums over */
  readonly targetCount: number;
  readonly correct: number;
  /** of each head alone, where the task has several */
  readonly heads?: LossSums[];
};

/** Before the first batch. */
export const NO_LOSS: LossSums = { lossSum: 0, targetCount: 0, correct: 0 };

/** Sums of two batches together. */
export function addedSums(a: LossSums, b: LossSums): LossSums {
  return {
    lossSum: a.lossSum + b.lossSum,
    targetCount: a.targetCount + b.targetCount,
    correct: a.correct + b.correct,
    ...(b.heads && { heads: b.heads.map((head, h) => addedSums(a.heads?.[h] ?? NO_LOSS, head)) }),
  };
}
