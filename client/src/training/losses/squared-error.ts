import type { LossSums } from './loss-sums.js';

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
