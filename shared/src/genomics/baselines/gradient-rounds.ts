import type { SummedRound } from '../summed-round.js';
import type { LinearFit } from './linear-fit.js';
import { type LabelledUnits, type SoftmaxState, softmaxStart } from './softmax-sums.js';

/** What a softmax sum needs of a fit: the place where it is taken. */
export const stateAt = ({ features, classes, next, weights }: LinearFit): SoftmaxState => ({
  ...softmaxStart(features, classes),
  weights: next ?? weights,
});

/** So many equal sums of losses and gradients, each at the place that the last one led to. */
export function gradientRounds(
  name: string,
  count: number,
  round: SummedRound<LabelledUnits, SoftmaxState>,
  fit: SummedRound<LabelledUnits, LinearFit>['fit'],
): SummedRound<LabelledUnits, LinearFit>[] {
  return Array.from({ length: count }, (_, k) => ({
    id: `${name}-${k}`,
    ...{ what: round.what, fractionBits: round.fractionBits },
    bound: (weightCap: number) => round.bound(weightCap),
    length: (state: LinearFit) => round.length(stateAt(state)),
    local: (units: LabelledUnits, state: LinearFit) => round.local(units, stateAt(state)),
    fit,
  }));
}
