import type { LinearBaseline, LinearFit } from './linear-fit.js';
import { ridgeRounds, type RidgeState, type TargetUnits } from './ridge.js';
import type { LabelledUnits } from './softmax-sums.js';

/**
 * Ridge regression on indicators of the classes, exactly, in two secure sums; the class of the largest prediction is
 * called.
 *
 * @param options.lambda penalty of Σ e² + λ·‖w‖², > 0
 * @param options.bound of a prepared value, at least 1
 */
export function ridgeBaseline(options: {
  readonly lambda: number;
  readonly bound: number;
  readonly fractionBits: number;
}): LinearBaseline {
  const stateOf = ({ features, classes, ridge }: LinearFit): RidgeState =>
    ridge ?? { features, targets: classes };
  const rounds = ridgeRounds(options.lambda, options.bound, options.fractionBits).map((round) => ({
    ...round,
    length: (state: LinearFit) => round.length(stateOf(state)),
    local: (units: LabelledUnits, state: LinearFit) => round.local(indicators(units), stateOf(state)),
    fit: (state: LinearFit, sums: Float64Array, contributors: number): LinearFit => {
      const ridge = round.fit(stateOf(state), sums, contributors);
      return { ...state, ridge, units: ridge.units ?? 0, weights: affine(state, ridge) };
    },
  }));
  const start = (features: number, classes: number): LinearFit => ({
    ...{ features, classes, units: 0, weights: new Float64Array(classes * (features + 1)) },
  });
  return { name: 'ridge', rounds, hasLogits: false, start };
}

function indicators({ n, features, classes, x, labels }: LabelledUnits): TargetUnits {
  const y = new Float64Array(n * classes);
  for (let unit = 0; unit < n; unit++) y[unit * classes + (labels[unit] ?? 0)] = 1;
  return { n, features, x, y };
}

/** Weights with their intercepts; zeros before the second sum. */
function affine({ features, classes, weights }: LinearFit, fit: RidgeState): Float64Array {
  const { weights: slopes, meanX, meanY } = fit;
  if (!slopes || !meanX || !meanY) return weights;
  const out = new Float64Array(weights.length);
  for (let c = 0; c < classes; c++) {
    const own = slopes.subarray(c * features, (c + 1) * features);
    out.set(own, c * (features + 1));
    out[c * (features + 1) + features] = own.reduce((sum, w, j) => sum - w * (meanX[j] ?? 0), meanY[c] ?? 0);
  }
  return out;
}
