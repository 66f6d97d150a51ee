import type { LossSums } from './loss-sums.js';

/** Weights and smoothing of a cross-entropy; none by default. */
export interface CrossEntropyOptions {
  readonly classWeights?: readonly number[] | undefined;
  readonly smoothing?: number;
}

/**
 * Softmax cross-entropy of logits.
 *
 * @param logits [batch, classes]; replaced by the gradient of the *sum* of losses
 * @param labels class of each row; a negative one is missing and adds nothing
 * @param options factor of each class; share ε of the target that is spread evenly: (1 − ε)·one-hot + ε/K
 * @see Szegedy et al. 2016, section 7 (smoothing)
 */
export function softmaxCrossEntropy(
  logits: Float32Array,
  labels: ArrayLike<number>,
  classes: number,
  { classWeights, smoothing = 0 }: CrossEntropyOptions = {},
): LossSums {
  let lossSum = 0;
  let correct = 0;
  let targetCount = 0;
  const even = smoothing / classes;
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row]!;
    const at = row * classes;
    if (!(label >= 0)) {
      logits.fill(0, at, at + classes);
      continue;
    }
    const { best, top, logSum } = logSumExp(logits, at, classes);
    const weight = classWeights?.[label] ?? 1;
    if (best === label) correct++;
    targetCount++;
    let loss = (1 - smoothing) * (logSum - logits[at + label]!);
    for (let k = 0; k < classes; k++) {
      const logit = logits[at + k]!;
      if (even > 0) loss += even * (logSum - logit);
      const target = even + (k === label ? 1 - smoothing : 0);
      logits[at + k] = weight * (Math.exp(logit - top) / Math.exp(logSum - top) - target);
    }
    lossSum += weight * loss;
  }
  return { lossSum, targetCount, correct };
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
