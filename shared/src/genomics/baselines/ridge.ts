import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';
import type { SummedRound } from '../summed-round.js';

/** Prepared units of one site with a number to be predicted. */
export interface TargetUnits {
  readonly n: number;
  readonly features: number;
  /** row-major [n, features] */
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/** A ridge regression under way. */
export interface RidgeState {
  readonly features: number;
  readonly units?: number;
  readonly meanX?: Float64Array;
  readonly meanY?: number;
  readonly weights?: Float64Array;
}

/** Features of an exact fit: two million sums. */
const MOST_FEATURES = 2000;

/**
 * Ridge regression, exactly, in two rounds: means, then the products of distances from them.
 *
 * @param lambda penalty of Σ e² + λ·‖w‖², > 0
 * @param bound of a prepared value and of the target
 * @throws E_ARGUMENT for more than 2,000 features: fit those by gradients
 */
export function ridgeRounds(
  lambda: number,
  bound: number,
  fractionBits: number,
): SummedRound<TargetUnits, RidgeState>[] {
  const pairs = (f: number): number => (f * (f + 1)) / 2;
  return [
    {
      id: 'ridge-means',
      what: 'number of units, the sum of the targets and, per feature, of its values',
      fractionBits,
      length: ({ features }) => {
        if (features <= MOST_FEATURES) return 2 + features;
        throw new RegulonError('E_ARGUMENT', `ridge: ${features} features are more than ${MOST_FEATURES}`);
      },
      bound: (weightCap) => weightCap * bound,
      local: ({ n, features, x, y }) => {
        const sums = new Float64Array(2 + features);
        sums[0] = n;
        sums[1] = y.reduce((a, b) => a + b, 0);
        x.forEach((value, k) => add(sums, 2 + (k % features), value));
        return sums;
      },
      fit: (state, sums) => {
        const units = Math.round(sums[0] ?? 0);
        const meanX = sums.slice(2).map((sum) => sum / units);
        return { ...state, units, meanX, meanY: (sums[1] ?? 0) / units };
      },
    },
    {
      id: 'ridge-products',
      what: 'per pair of features, and per feature and target, the sum of products of their distances from the means',
      fractionBits,
      length: ({ features }) => pairs(features) + features,
      bound: (weightCap) => weightCap * (2 * bound) ** 2,
      local: productsOf,
      fit: (state, sums) => ({ ...state, weights: solved(state.features, sums, lambda) }),
    },
  ];
}

function productsOf({ n, features, x, y }: TargetUnits, { meanX, meanY = 0 }: RidgeState): Float64Array {
  const sums = new Float64Array((features * (features + 1)) / 2 + features);
  const products = sums.length - features;
  for (let unit = 0; unit < n; unit++) {
    const d = x.slice(unit * features, (unit + 1) * features).map((value, j) => value - (meanX?.[j] ?? 0));
    const target = (y[unit] ?? 0) - meanY;
    let at = 0;
    d.forEach((own, j) => {
      for (let k = j; k < features; k++, at++) sums[at] = (sums[at] ?? 0) + own * (d[k] ?? 0);
      add(sums, products + j, own * target);
    });
  }
  return sums;
}

function solved(features: number, sums: Float64Array, lambda: number): Float64Array {
  const matrix = Matrix.zeros(features, features);
  let at = 0;
  for (let j = 0; j < features; j++) {
    for (let k = j; k < features; k++, at++) {
      const value = (sums[at] ?? 0) + (j === k ? lambda : 0);
      matrix.set(j, k, value);
      matrix.set(k, j, value);
    }
  }
  const target = Matrix.columnVector([...sums.subarray(at)]);
  return Float64Array.from(new CholeskyDecomposition(matrix).solve(target).to1DArray());
}

/** Prediction for one prepared unit. @throws E_STATE before the second round */
export function predictRidge({ weights, meanX, meanY }: RidgeState, row: Float64Array): number {
  if (!weights || !meanX || meanY === undefined)
    throw new RegulonError('E_STATE', 'ridge: the weights are not known yet');
  return row.reduce((sum, x, j) => sum + (x - (meanX[j] ?? 0)) * (weights[j] ?? 0), meanY);
}
