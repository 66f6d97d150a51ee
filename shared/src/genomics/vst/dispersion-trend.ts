import { RegulonError } from '../../errors/index.js';
import { MIN_DISPERSION } from './dispersion-search.js';

/** Dispersion as a function of the mean: asymptotic + extra / mean. */
export interface Trend {
  readonly asymptotic: number;
  readonly extra: number;
}

interface Point {
  readonly inverse: number;
  readonly dispersion: number;
}

const MOST_FITS = 10;
const MOST_STEPS = 25;

/**
 * Parametric trend of DESeq2: a gamma regression with identity link, repeated without outliers until it settles.
 *
 * @throws E_UNITS when it does not settle on two positive coefficients
 * @see DESeq2 1.38 `parametricDispersionFit`
 */
export function trendOf(means: Float64Array, dispersions: Float64Array): Trend {
  const points = Array.from(means, (mean, j) => ({
    inverse: 1 / mean,
    dispersion: dispersions[j] ?? 0,
  })).filter(({ dispersion }) => dispersion > 100 * MIN_DISPERSION);
  let trend: Trend = { asymptotic: 0.1, extra: 1 };
  for (let fit = 0; fit <= MOST_FITS; fit++) {
    const good = points.filter(({ inverse, dispersion }) => {
      const residual = dispersion / (trend.asymptotic + trend.extra * inverse);
      return residual > 1e-4 && residual < 15;
    });
    const next = gammaRegression(good, trend);
    if (!(next.asymptotic > 0 && next.extra > 0)) break;
    const moved = Math.log(next.asymptotic / trend.asymptotic) ** 2 + Math.log(next.extra / trend.extra) ** 2;
    trend = next;
    if (moved < 1e-6) return trend;
  }
  throw new RegulonError('E_UNITS', 'vst: the dispersions show no trend over the mean; use log2 instead');
}

/** Iteratively reweighted least squares until the deviance settles, as R's glm. */
function gammaRegression(points: readonly Point[], start: Trend): Trend {
  const deviance = ({ asymptotic, extra }: Trend): number =>
    points.reduce((sum, { inverse, dispersion }) => {
      const mu = asymptotic + extra * inverse;
      return sum - 2 * (Math.log(dispersion / mu) - (dispersion - mu) / mu);
    }, 0);
  let trend = start;
  let before = deviance(trend);
  for (let step = 0; step < MOST_STEPS; step++) {
    trend = weightedLine(points, trend);
    const now = deviance(trend);
    if (Math.abs(now - before) / (Math.abs(now) + 0.1) < 1e-8) break;
    before = now;
  }
  return trend;
}

function weightedLine(points: readonly Point[], { asymptotic, extra }: Trend): Trend {
  let [w, wx, wxx, wy, wxy] = [0, 0, 0, 0, 0];
  for (const { inverse, dispersion } of points) {
    const weight = (asymptotic + extra * inverse) ** -2;
    w += weight;
    wx += weight * inverse;
    wxx += weight * inverse * inverse;
    wy += weight * dispersion;
    wxy += weight * inverse * dispersion;
  }
  const slope = (w * wxy - wx * wy) / (w * wxx - wx * wx);
  return { asymptotic: (wy - slope * wx) / w, extra: slope };
}
