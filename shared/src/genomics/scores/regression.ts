import { type Interval, meanInterval } from './confidence.js';

/** Numbers that a site sends of a regression. */
export const REGRESSION_LENGTH = 5;

/** What the rounding of the sums to 2⁻²⁴, at 255 sites at most, makes of a spread of 0, for targets about 1. */
const ROUNDING = 255 * 2 ** -24;

/** What a site sends of a regression: [n, Σ |e|, Σ e², Σ y, Σ y²]. @param truth aligned with `predicted`; NaN = not observed */
export function regressionSums(predicted: ArrayLike<number>, truth: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(REGRESSION_LENGTH);
  for (let unit = 0; unit < truth.length; unit++) {
    const y = truth[unit] ?? NaN;
    if (Number.isNaN(y)) continue;
    const e = (predicted[unit] ?? NaN) - y;
    [1, Math.abs(e), e * e, y, y * y].forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
  }
  return sums;
}

/** Errors of predicted numbers. */
export interface RegressionScores {
  readonly mae: number;
  /** 95 %; null below two numbers */
  readonly maeInterval: Interval | null;
  readonly mse: number;
  /** null for a constant target */
  readonly r2: number | null;
}

/** Mean absolute and squared error and R², or null without units. */
export function regressionScoresOf(sums: Float64Array): RegressionScores | null {
  const [n = 0, absolute = 0, squared = 0, sum = 0, squares = 0] = sums;
  if (Math.round(n) === 0) return null;
  const spread = squares - (sum * sum) / n;
  return {
    ...{ mae: absolute / n, maeInterval: meanInterval(Math.round(n), absolute, squared) },
    ...{ mse: squared / n, r2: spread > ROUNDING * (1 + Math.abs(sum / n)) ? 1 - squared / spread : null },
  };
}
