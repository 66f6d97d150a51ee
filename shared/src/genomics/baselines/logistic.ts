import { type Evaluated, minimise } from './lbfgs.js';
import type { SoftmaxState } from './softmax-sums.js';

/** Norm of the gradient at which a fit is exact for every purpose here. */
export const EXACT = 1e-8;

/** One secure sum at some weights. */
export type SumAt = (state: SoftmaxState) => SoftmaxState;

/** ½‖w‖² + C·Σ cross-entropy and its gradient; intercepts are free. @param loss Σ cross-entropy at `weights` */
export function penalisedLoss(
  weights: Float64Array,
  features: number,
  c: number,
  loss: Evaluated,
): Evaluated {
  const penalised = weights.map((w, k) => (k % (features + 1) === features ? 0 : w));
  return {
    value: penalised.reduce((sum, w) => sum + (w * w) / 2, 0) + c * loss.value,
    gradient: loss.gradient.map((g, k) => c * g + (penalised[k] ?? 0)),
  };
}

/**
 * Multinomial logistic regression: the smallest ½‖w‖² + C·Σ cross-entropy, intercepts free, until ‖gradient‖ ≤ 10⁻⁸.
 *
 * @param c C of the objective
 * @param sumAt a secure sum of losses and gradients (`softmaxRound`)
 * @returns weights [classes, features + 1] and the number of sums
 */
export function fitLogistic(
  start: SoftmaxState,
  features: number,
  c: number,
  sumAt: SumAt,
): { weights: Float64Array; sums: number } {
  const { at, evaluations } = minimise(
    (weights) => penalisedLoss(weights, features, c, sumAt({ ...start, weights }).loss),
    start.weights,
    EXACT,
  );
  return { weights: at, sums: evaluations };
}
