import { minimise } from './lbfgs.js';
import type { SoftmaxState } from './softmax-sums.js';

/** Norm of the gradient at which a fit is exact for every purpose here. */
const EXACT = 1e-8;

/** One secure sum at some weights. */
export type SumAt = (state: SoftmaxState) => SoftmaxState;

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
  const isIntercept = (k: number): boolean => k % (features + 1) === features;
  const { at, evaluations } = minimise(
    (weights) => {
      const { loss } = sumAt({ ...start, weights });
      const ridge = weights.reduce((sum, w, k) => (isIntercept(k) ? sum : sum + (w * w) / 2), 0);
      return {
        value: ridge + c * loss.value,
        gradient: loss.gradient.map((g, k) => c * g + (isIntercept(k) ? 0 : (weights[k] ?? 0))),
      };
    },
    start.weights,
    EXACT,
  );
  return { weights: at, sums: evaluations };
}
