import { RegulonError } from '../errors/index.js';
import { fillSeries } from './series.js';
import type { UnitsView } from './view.js';

/** One-step-ahead squared errors over the observed targets of the last steps of one site. */
export interface ForecastError {
  readonly squaredError: number;
  readonly targets: number;
  /** squaredError / targets */
  readonly mse: number;
}

/** What a forecasting net is printed beside. */
export interface SeriesBaselines {
  readonly lastValue: ForecastError;
  readonly zero: ForecastError;
  /** AR(3) fitted on the site's own training steps, all units together */
  readonly ar3: ForecastError;
}

const ORDER = 3;
const RIDGE = 1e-3;

/**
 * Last value, zero and AR(3) (ridge 1e-3, no intercept, all units of the site pooled) on the last `horizon` steps.
 *
 * AR(3) reads three steps back, so its first training target is the fourth step.
 *
 * @param view series, NaN = missing; shape [n, T]
 * @throws E_PLAN, E_UNITS as {@link fillSeries}; E_UNITS when the test steps hold no observed value
 * @see rounds.md §6, the table of `yeast-next`
 */
export function seriesBaselines(view: UnitsView, horizon: number): SeriesBaselines {
  const { n, steps, values, mask } = fillSeries(view, horizon);
  const training = steps - horizon;
  const weights = fitAutoregression(values, n, steps, training);
  const back = (at: number, lag: number): number => values[at - lag] ?? 0;
  const score = (predict: (at: number) => number): ForecastError => {
    let squaredError = 0;
    let targets = 0;
    for (let i = 0; i < n; i++) {
      for (let t = training; t < steps; t++) {
        const at = i * steps + t;
        if (mask[at] === 0) continue;
        squaredError += (back(at, 0) - predict(at)) ** 2;
        targets++;
      }
    }
    if (targets === 0) throw new RegulonError('E_UNITS', 'the test steps hold no observed value');
    return { squaredError, targets, mse: squaredError / targets };
  };
  return {
    lastValue: score((at) => back(at, 1)),
    zero: score(() => 0),
    ar3: score((at) => weights.reduce((sum, w, lag) => sum + w * back(at, lag + 1), 0)),
  };
}

/** Weights of lags 1, 2, 3: (XᵀX + λI)⁻¹ Xᵀy over all units and training targets. */
function fitAutoregression(values: Float64Array, n: number, steps: number, training: number): number[] {
  const gram: number[][] = Array.from({ length: ORDER }, (_, i) =>
    Array.from({ length: ORDER }, (_, j) => (i === j ? RIDGE : 0)),
  );
  const moment = new Array<number>(ORDER).fill(0);
  for (let i = 0; i < n; i++) {
    for (let t = ORDER; t < training; t++) {
      const at = i * steps + t;
      const y = values[at] ?? 0;
      for (let a = 0; a < ORDER; a++) {
        const x = values[at - 1 - a] ?? 0;
        moment[a] = (moment[a] ?? 0) + x * y;
        const row = gram[a] ?? [];
        for (let b = 0; b < ORDER; b++) row[b] = (row[b] ?? 0) + x * (values[at - 1 - b] ?? 0);
      }
    }
  }
  return solveSymmetric(gram, moment);
}

/** Gaussian elimination of a small positive definite system; both arguments are used up. */
function solveSymmetric(matrix: number[][], right: number[]): number[] {
  const size = right.length;
  const cell = (i: number, j: number): number => matrix[i]?.[j] ?? 0;
  for (let pivot = 0; pivot < size; pivot++) {
    for (let i = pivot + 1; i < size; i++) {
      const factor = cell(i, pivot) / cell(pivot, pivot);
      matrix[i] = (matrix[i] ?? []).map((x, j) => x - factor * cell(pivot, j));
      right[i] = (right[i] ?? 0) - factor * (right[pivot] ?? 0);
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i--) {
    const known = solution.reduce((sum, x, j) => (j > i ? sum + cell(i, j) * x : sum), 0);
    solution[i] = ((right[i] ?? 0) - known) / cell(i, i);
  }
  return solution;
}
