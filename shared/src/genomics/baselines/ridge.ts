import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import { RegulonError } from '../../errors/index.js';
import { add } from '../numbers.js';
import type { SummedRound } from '../summed-round.js';

/** Prepared units of one site with numbers to be predicted. */
export interface TargetUnits {
  readonly n: number;
  readonly features: number;
  /** row-major [n, features] */
  readonly x: Float64Array;
  /** row-major [n, targets] */
  readonly y: Float64Array;
}

/** A ridge regression under way. */
export interface RidgeState {
  readonly features: number;
  readonly targets: number;
  readonly units?: number;
  readonly meanX?: Float64Array;
  readonly meanY?: Float64Array;
  /** row-major [targets, features] */
  readonly weights?: Float64Array;
}

/** Features of an exact fit: two million sums. */
const MOST_FEATURES = 2000;

/**
 * Ridge regression, exactly, in two rounds: means, then the products of distances from them.
 *
 * @param lambda penalty of Σ e² + λ·‖w‖², > 0
 * @param bound of a prepared value and of the targets
 * @throws E_ARGUMENT for more than 2,000 features: fit those by gradients
 */
export function ridgeRounds(
  lambda: number,
  bound: number,
  fractionBits: number,
): SummedRound<TargetUnits, RidgeState>[] {
  return [
    {
      id: 'ridge-means',
      what: 'number of units, the sums of the targets and, per feature, of its values',
      fractionBits,
      length: ({ features, targets }) => {
        if (features <= MOST_FEATURES) return 1 + targets + features;
        throw new RegulonError('E_ARGUMENT', `ridge: ${features} features are more than ${MOST_FEATURES}`);
      },
      bound: (weightCap) => weightCap * bound,
      local: ({ n, features, x, y }, { targets }) => {
        const sums = new Float64Array(1 + targets + features);
        sums[0] = n;
        y.forEach((value, k) => add(sums, 1 + (k % targets), value));
        x.forEach((value, k) => add(sums, 1 + targets + (k % features), value));
        return sums;
      },
      fit: (state, sums) => {
        const units = Math.round(sums[0] ?? 0);
        const means = sums.slice(1).map((sum) => sum / units);
        return { ...state, units, meanY: means.slice(0, state.targets), meanX: means.slice(state.targets) };
      },
    },
    {
      id: 'ridge-products',
      what: 'per pair of features, and per feature and target, the sum of products of their distances from the means',
      fractionBits,
      length: ({ features, targets }) => (features * (features + 1)) / 2 + features * targets,
      bound: (weightCap) => weightCap * (2 * bound) ** 2,
      local: productsOf,
      fit: (state, sums) => ({ ...state, weights: solved(state, sums, lambda) }),
    },
  ];
}

function productsOf({ n, features, x, y }: TargetUnits, { targets, meanX, meanY }: RidgeState): Float64Array {
  const products = (features * (features + 1)) / 2;
  const sums = new Float64Array(products + features * targets);
  for (let unit = 0; unit < n; unit++) {
    const d = x.slice(unit * features, (unit + 1) * features).map((value, j) => value - (meanX?.[j] ?? 0));
    let at = 0;
    d.forEach((own, j) => {
      for (let k = j; k < features; k++, at++) sums[at] = (sums[at] ?? 0) + own * (d[k] ?? 0);
      for (let t = 0; t < targets; t++) {
        const target = (y[unit * targets + t] ?? 0) - (meanY?.[t] ?? 0);
        add(sums, products + t * features + j, own * target);
      }
    });
  }
  return sums;
}

function solved({ features, targets }: RidgeState, sums: Float64Array, lambda: number): Float64Array {
  const matrix = Matrix.zeros(features, features);
  let at = 0;
  for (let j = 0; j < features; j++) {
    for (let k = j; k < features; k++, at++) {
      const value = (sums[at] ?? 0) + (j === k ? lambda : 0);
      matrix.set(j, k, value);
      matrix.set(k, j, value);
    }
  }
  const right = Matrix.zeros(features, targets);
  sums.subarray(at).forEach((value, k) => right.set(k % features, Math.floor(k / features), value));
  const solution = new CholeskyDecomposition(matrix).solve(right);
  return Float64Array.from({ length: targets * features }, (_, k) =>
    solution.get(k % features, Math.floor(k / features)),
  );
}

/** Predictions of one prepared unit, one a target. @throws E_STATE before the second round */
export function predictRidge({ weights, meanX, meanY }: RidgeState, row: Float64Array): Float64Array {
  if (!weights || !meanX || !meanY) throw new RegulonError('E_STATE', 'ridge: the weights are not known yet');
  return meanY.map((mean, t) =>
    row.reduce((sum, x, j) => sum + (x - (meanX[j] ?? 0)) * (weights[t * row.length + j] ?? 0), mean),
  );
}
