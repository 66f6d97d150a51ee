import type { SoftmaxState } from './softmax-sums.js';
import type { SumAt } from './logistic.js';

/** Penalty λ·(share·‖w‖₁ + (1 − share)/2·‖w‖²) beside the mean cross-entropy. */
export interface ElasticPenalty {
  readonly lambda: number;
  /** share of the absolute values, 0 to 1 */
  readonly share: number;
}

const MOST_SUMS = 5000;

/**
 * Softmax regression with an elastic net by FISTA on summed gradients; intercepts free.
 *
 * @param tolerance largest change of a weight, over the step size, at which the fit ends
 * @returns weights [classes, features + 1], some exactly 0, and the number of sums
 * @see Beck & Teboulle 2009, with backtracking; O'Donoghue & Candès 2015 for the restart
 */
export function fitElasticNet(
  start: SoftmaxState,
  features: number,
  penalty: ElasticPenalty,
  sumAt: SumAt,
  tolerance = 1e-8,
): { weights: Float64Array; sums: number } {
  const smooth = smoothPart(start, features, penalty, sumAt);
  let [x, y, momentum, lipschitz, sums] = [start.weights, start.weights, 1, 1, 0];
  for (; sums < MOST_SUMS;) {
    const here = smooth(y);
    sums += 1;
    let next = x;
    for (; sums < MOST_SUMS; lipschitz *= 2) {
      next = shrunk(y, here.gradient, 1 / lipschitz, features, penalty);
      const there = smooth(next);
      sums += 1;
      const moved = next.map((w, k) => w - (y[k] ?? 0));
      const linear = moved.reduce((sum, d, k) => sum + d * (here.gradient[k] ?? 0), 0);
      const square = moved.reduce((sum, d) => sum + d * d, 0);
      if (there.value <= here.value + linear + (lipschitz / 2) * square + 1e-12) break;
    }
    const change = Math.max(...next.map((w, k) => Math.abs(w - (y[k] ?? 0)))) * lipschitz;
    const restarts = next.reduce((sum, w, k) => sum + ((y[k] ?? 0) - w) * (w - (x[k] ?? 0)), 0) > 0;
    const following = restarts ? 1 : (1 + Math.sqrt(1 + 4 * momentum ** 2)) / 2;
    const push = restarts ? 0 : (momentum - 1) / following;
    const before = x;
    y = next.map((w, k) => w + push * (w - (before[k] ?? 0)));
    [x, momentum] = [next, following];
    if (change <= tolerance) break;
  }
  return { weights: x, sums };
}

/** Mean cross-entropy and the squared part of the penalty. */
function smoothPart(start: SoftmaxState, features: number, { lambda, share }: ElasticPenalty, sumAt: SumAt) {
  const ridge = lambda * (1 - share);
  return (weights: Float64Array): { value: number; gradient: Float64Array } => {
    const { loss, units } = sumAt({ ...start, weights });
    const penalised = (k: number): number => (k % (features + 1) === features ? 0 : (weights[k] ?? 0));
    return {
      value: loss.value / units + (ridge / 2) * weights.reduce((sum, _, k) => sum + penalised(k) ** 2, 0),
      gradient: loss.gradient.map((g, k) => g / units + ridge * penalised(k)),
    };
  };
}

/** Gradient step, then soft threshold of all but the intercepts. */
function shrunk(
  from: Float64Array,
  gradient: Float64Array,
  size: number,
  features: number,
  { lambda, share }: ElasticPenalty,
): Float64Array {
  const threshold = size * lambda * share;
  return from.map((w, k) => {
    const moved = w - size * (gradient[k] ?? 0);
    if (k % (features + 1) === features) return moved;
    return Math.sign(moved) * Math.max(0, Math.abs(moved) - threshold);
  });
}
