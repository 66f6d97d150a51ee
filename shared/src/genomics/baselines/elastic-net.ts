import { gradientRounds, stateAt } from './gradient-rounds.js';
import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { EXACT } from './logistic.js';
import { proximalFrom, proximalSearched, type ProximalSearch, type ProximalStep } from './proximal.js';
import { softmaxRound, softmaxStart } from './softmax-sums.js';

/** Penalty λ·(share·‖w‖₁ + (1 − share)/2·‖w‖²) beside the mean cross-entropy. */
export interface ElasticPenalty {
  readonly lambda: number;
  /** share of the absolute values, 0 to 1 */
  readonly share: number;
}

/**
 * Softmax regression with an elastic net by FISTA, one secure sum of gradients an iteration; intercepts are free. Some
 * weights are exactly 0. After the end of the search the sums repeat.
 *
 * @param options.rounds sums, at least 1
 * @param options.bound of a prepared value
 * @see Zou & Hastie 2005
 */
export function elasticNetBaseline(
  options: ElasticPenalty & {
    readonly rounds: number;
    readonly bound: number;
    readonly fractionBits: number;
  },
): LinearBaseline {
  const round = softmaxRound(options.bound, options.fractionBits);
  const ridge = options.lambda * (1 - options.share);
  const fit = (state: LinearFit, sums: Float64Array, contributors: number): LinearFit => {
    const { features } = state;
    const { loss, units } = round.fit(stateAt(state), sums, contributors);
    const at = state.next ?? state.weights;
    const gradient = loss.gradient.map(
      (g, k) => g / units + (isIntercept(k, features) ? 0 : ridge * (at[k] ?? 0)),
    );
    const step = shrinking(features, options.lambda * options.share);
    const search = proximalSearched(proximalOf(state), gradient, step, EXACT);
    return { ...state, units, search, weights: search.best, next: search.next };
  };
  const start = (features: number, classes: number): LinearFit => ({
    ...{ features, classes, units: 0, weights: softmaxStart(features, classes).weights },
  });
  const rounds = gradientRounds('elastic-net', options.rounds, round, fit);
  return { name: 'elastic-net', rounds, hasLogits: true, start };
}

const proximalOf = ({ search, weights }: LinearFit): ProximalSearch =>
  search && 'curvature' in search ? search : proximalFrom(weights);

const isIntercept = (k: number, features: number): boolean => k % (features + 1) === features;

/** A gradient step, then the soft threshold of all but the intercepts. */
function shrinking(features: number, penalty: number): ProximalStep {
  return (at, gradient, size) =>
    at.map((w, k) => {
      const moved = w - size * (gradient[k] ?? 0);
      if (isIntercept(k, features)) return moved;
      return Math.sign(moved) * Math.max(0, Math.abs(moved) - size * penalty);
    });
}
