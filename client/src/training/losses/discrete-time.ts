import { logistic, softplus } from './elementwise.js';
import type { LossSums } from './loss-sums.js';

/**
 * Hazard of each interval as a logistic regression: −log likelihood, replaced by its gradient.
 *
 * A unit counts in every interval that it was at risk in until its time; in the last of them it had the event or not.
 *
 * @param logits [batch, intervals]; replaced by the gradient of the sum
 * @param targets [batch, 2]: time (NaN: missing), event
 * @param edges upper ends of the intervals, growing; the first begins at 0
 * @returns loss and number of unit-intervals
 * @see Gensheimer & Narasimhan 2019; Allison 1982
 */
export function discreteTimeLoss(
  logits: Float32Array | Float64Array,
  targets: ArrayLike<number>,
  edges: readonly number[],
): LossSums {
  let lossSum = 0;
  let targetCount = 0;
  const width = edges.length;
  for (let row = 0; row * width < logits.length; row++) {
    const time = targets[2 * row]!;
    const event = targets[2 * row + 1]! > 0;
    const found = edges.findIndex((edge) => time <= edge);
    const last = found < 0 ? width - 1 : found;
    for (let k = 0; k < width; k++) {
      const at = row * width + k;
      if (Number.isNaN(time) || k > last) {
        logits[at] = 0;
        continue;
      }
      const happened = event && k === found;
      const logit = logits[at]!;
      lossSum += softplus(happened ? -logit : logit);
      logits[at] = logistic(logit) - (happened ? 1 : 0);
      targetCount++;
    }
  }
  return { lossSum, targetCount, correct: 0 };
}
