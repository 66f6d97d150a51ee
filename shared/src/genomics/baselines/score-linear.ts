import { RegulonError } from '../../errors/index.js';
import { fitLogistic } from './logistic.js';
import { type LabelledUnits, probabilities, softmaxRound, softmaxStart } from './softmax-sums.js';

/** Sums of a scored linear classifier. */
export interface LinearScore {
  /** K × K, row = true class */
  readonly confusion: number[];
  /** Σ cross-entropy; 0 without logits */
  readonly lossSum: number;
}

/**
 * Score a linear classifier on some units.
 *
 * @param weights row-major [classes, features + 1], the intercept last
 * @throws E_NOT_FINITE when a weight is not finite
 */
export function scoreLinear(weights: Float64Array, units: LabelledUnits, hasLogits = true): LinearScore {
  const { n, features, classes, x, labels } = units;
  const confusion = new Array<number>(classes * classes).fill(0);
  let lossSum = 0;
  if (!weights.every(Number.isFinite)) throw new RegulonError('E_NOT_FINITE', 'a baseline is not finite');
  for (let unit = 0; unit < n; unit++) {
    const p = probabilities(weights, x.subarray(unit * features, (unit + 1) * features), classes);
    const truth = labels[unit] ?? 0;
    const cell = truth * classes + p.indexOf(Math.max(...p));
    confusion[cell] = (confusion[cell] ?? 0) + 1;
    if (hasLogits) lossSum -= Math.log(Math.max(Number.MIN_VALUE, p[truth] ?? 0));
  }
  return { confusion, lossSum };
}

/**
 * Logistic regression of one site alone: what it could do without the others.
 *
 * @param c C of ½‖w‖² + C·Σ cross-entropy
 * @returns weights [classes, features + 1]; the caller owns them
 * @throws E_STATE when the search does not end
 */
export function fitLoneSite(units: LabelledUnits, c: number): Float64Array {
  const round = softmaxRound(1, 0);
  const { features, classes } = units;
  const start = softmaxStart(features, classes);
  return fitLogistic(start, features, c, (state) => round.fit(state, round.local(units, state), 1)).weights;
}
