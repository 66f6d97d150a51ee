/** Sums over a batch; nothing per unit. A type, not an interface: `tf.tidy` passes only those through. */
export type LossSums = {
  readonly lossSum: number;
  /** how many numbers `lossSum` sums over */
  readonly targetCount: number;
  readonly correct: number;
};

/**
 * Softmax cross-entropy of logits.
 *
 * @param logits [batch, classes]; replaced by the gradient of the *sum* of losses
 * @param labels class of each row of the batch
 */
export function softmaxCrossEntropy(
  logits: Float32Array,
  labels: readonly number[],
  classes: number,
): LossSums {
  let lossSum = 0;
  let correct = 0;
  labels.forEach((label, row) => {
    const at = row * classes;
    const { best, top, logSum } = logSumExp(logits, at, classes);
    if (best === label) correct++;
    lossSum += logSum - logits[at + label]!;
    for (let k = 0; k < classes; k++) {
      logits[at + k] = Math.exp(logits[at + k]! - top) / Math.exp(logSum - top) - (k === label ? 1 : 0);
    }
  });
  return { lossSum, targetCount: labels.length, correct };
}

/** Index of the largest logit, its value and log Σ exp, computed without overflow. */
function logSumExp(
  logits: Float32Array,
  at: number,
  classes: number,
): { best: number; top: number; logSum: number } {
  let best = 0;
  for (let k = 1; k < classes; k++) if (logits[at + k]! > logits[at + best]!) best = k;
  const top = logits[at + best]!;
  let sum = 0;
  for (let k = 0; k < classes; k++) sum += Math.exp(logits[at + k]! - top);
  return { best, top, logSum: top + Math.log(sum) };
}

/**
 * Squared error.
 *
 * @param output [batch, width]; replaced by the gradient of the *sum* of squared errors
 * @param targets [n, width] with the batch's rows at `rows`
 * @param weights [n, width], 0 where a target does not count; absent = all count
 */
export function squaredError(
  output: Float32Array,
  targets: Float32Array,
  weights: Float32Array | undefined,
  rows: readonly number[],
  width: number,
): LossSums {
  let lossSum = 0;
  let targetCount = 0;
  rows.forEach((row, i) => {
    const at = i * width;
    const from = row * width;
    for (let c = 0; c < width; c++) {
      const weight = weights === undefined ? 1 : weights[from + c]!;
      const error = output[at + c]! - targets[from + c]!;
      // a target that does not count must not spread a NaN either
      lossSum += weight === 0 ? 0 : weight * error * error;
      targetCount += weight;
      output[at + c] = weight === 0 ? 0 : 2 * weight * error;
    }
  });
  return { lossSum, targetCount, correct: 0 };
}
