import { gradientRounds, stateAt } from './gradient-rounds.js';
import { type Search, searched, searchFrom } from './lbfgs.js';
import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { EXACT, penalisedLoss } from './logistic.js';
import { softmaxRound, softmaxStart } from './softmax-sums.js';

/**
 * Multinomial logistic regression in a fixed number of secure sums: the same optimum as `fitLogistic`, or as near to it
 * as so many sums come; after the end of the search the sums repeat.
 *
 * @param options.c C of ½‖w‖² + C·Σ cross-entropy
 * @param options.rounds sums, at least 1
 * @param options.bound of a prepared value
 */
export function logisticBaseline(options: {
  readonly c: number;
  readonly rounds: number;
  readonly bound: number;
  readonly fractionBits: number;
}): LinearBaseline {
  const round = softmaxRound(options.bound, options.fractionBits);
  const fit = (state: LinearFit, sums: Float64Array, contributors: number): LinearFit => {
    const { loss, units } = round.fit(stateAt(state), sums, contributors);
    const at = state.next ?? state.weights;
    const before = searchOf(state, at);
    const search = searched(before, penalisedLoss(at, state.features, options.c, loss), EXACT);
    return { ...state, units, search, weights: search.best?.at ?? at, next: search.next };
  };
  const start = (features: number, classes: number): LinearFit => ({
    ...{ features, classes, units: 0, weights: softmaxStart(features, classes).weights },
  });
  const rounds = gradientRounds('logistic', options.rounds, round, fit);
  return { name: 'logistic', rounds, hasLogits: true, start };
}

const searchOf = ({ search }: LinearFit, at: Float64Array): Search =>
  search && 'steps' in search ? search : searchFrom(at);
