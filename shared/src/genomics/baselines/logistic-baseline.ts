import { searched, searchFrom } from './lbfgs.js';
import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { EXACT, penalisedLoss } from './logistic.js';
import { type LabelledUnits, softmaxRound, softmaxStart } from './softmax-sums.js';

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
  const stateOf = ({ features, classes, next, weights }: LinearFit) => ({
    ...softmaxStart(features, classes),
    weights: next ?? weights,
  });
  const fit = (state: LinearFit, sums: Float64Array, contributors: number): LinearFit => {
    const { loss, units } = round.fit(stateOf(state), sums, contributors);
    const at = state.next ?? state.weights;
    const before = state.search ?? searchFrom(at);
    const search = searched(before, penalisedLoss(at, state.features, options.c, loss), EXACT);
    return { ...state, units, search, weights: search.best?.at ?? at, next: search.next };
  };
  const rounds = Array.from({ length: options.rounds }, (_, k) => ({
    id: `logistic-${k}`,
    ...{ what: round.what, fractionBits: round.fractionBits },
    bound: (weightCap: number) => round.bound(weightCap),
    length: (state: LinearFit) => round.length(stateOf(state)),
    local: (units: LabelledUnits, state: LinearFit) => round.local(units, stateOf(state)),
    fit,
  }));
  const start = (features: number, classes: number): LinearFit => ({
    ...{ features, classes, units: 0, weights: softmaxStart(features, classes).weights },
  });
  return { name: 'logistic', rounds, hasLogits: true, start };
}
