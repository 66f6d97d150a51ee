import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { Place } from './space.js';

/** What is believed of a function at a place. */
export interface Belief {
  readonly mean: number;
  /** standard deviation of the function, without the noise of an evaluation */
  readonly deviation: number;
}

interface Shape {
  /** distance over which the function changes, for each dimension */
  readonly scales: readonly number[];
  /** variance of the noise, as a share of that of the function */
  readonly noise: number;
}

const SCALES = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2];
const NOISES = [1e-6, 1e-3, 1e-1];

/** Matérn 5/2 with a length for each dimension. @see Rasmussen & Williams 2006, (4.17) */
function correlation(a: Place, b: Place, scales: readonly number[]): number {
  const square = a.reduce((sum, x, d) => sum + ((x - (b[d] ?? 0)) / (scales[d] ?? 1)) ** 2, 0);
  const r = Math.sqrt(5 * square);
  return (1 + r + (r * r) / 3) * Math.exp(-r);
}

/**
 * A Gaussian process through evaluations of a function, its lengths and noise by the largest marginal likelihood on a
 * coarse grid, one dimension after the other.
 *
 * @param places at least one
 * @param values of the function there
 * @returns what is believed at any place, in the unit of the values
 * @see Rasmussen & Williams 2006, algorithm 2.1
 */
export function gaussianProcess(places: readonly Place[], values: readonly number[]): (at: Place) => Belief {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, y) => sum + (y - mean) ** 2, 0) / values.length) || 1;
  const targets = values.map((y) => (y - mean) / spread);
  const { shape, lower, alpha, variance } = bestFit(places, targets);
  return (at) => {
    const k = places.map((place) => correlation(at, place, shape.scales));
    const known = forward(lower, k).reduce((sum, x) => sum + x * x, 0);
    return {
      mean: mean + spread * k.reduce((sum, x, i) => sum + x * (alpha[i] ?? 0), 0),
      deviation: spread * Math.sqrt(variance * Math.max(0, 1 - known)),
    };
  };
}

interface Fit {
  readonly shape: Shape;
  readonly lower: Matrix;
  readonly alpha: readonly number[];
  /** of the function, where the correlation is 1 */
  readonly variance: number;
  readonly evidence: number;
}

function bestFit(places: readonly Place[], targets: readonly number[]): Fit {
  let best = fitOf(places, targets, { scales: (places[0] ?? []).map(() => 0.4), noise: 1e-3 });
  const consider = (shape: Shape): void => {
    const fit = fitOf(places, targets, shape);
    if (fit.evidence > best.evidence) best = fit;
  };
  for (let pass = 0; pass < 2; pass++) {
    best.shape.scales.forEach((_, d) =>
      SCALES.forEach((scale) => consider({ ...best.shape, scales: best.shape.scales.with(d, scale) })),
    );
    NOISES.forEach((noise) => consider({ ...best.shape, noise }));
  }
  return best;
}

function fitOf(places: readonly Place[], targets: readonly number[], shape: Shape): Fit {
  const n = places.length;
  const matrix = Matrix.zeros(n, n);
  places.forEach((a, i) =>
    places.forEach((b, j) => matrix.set(i, j, correlation(a, b, shape.scales) + (i === j ? shape.noise : 0))),
  );
  const cholesky = new CholeskyDecomposition(matrix);
  const alpha = cholesky.solve(Matrix.columnVector([...targets])).to1DArray();
  const lower = cholesky.lowerTriangularMatrix;
  // the variance that fits best has a closed form
  const variance = Math.max(1e-12, targets.reduce((sum, y, i) => sum + y * (alpha[i] ?? 0), 0) / n);
  const determinant = lower.diagonal().reduce((sum, x) => sum + Math.log(x), 0);
  const evidence = cholesky.isPositiveDefinite() ? -(n / 2) * Math.log(variance) - determinant : -Infinity;
  return { shape, lower, alpha, variance, evidence };
}

/** L⁻¹·b */
function forward(lower: Matrix, b: readonly number[]): number[] {
  const x: number[] = [];
  b.forEach((value, i) => {
    const known = x.reduce((sum, xj, j) => sum + lower.get(i, j) * xj, 0);
    x.push((value - known) / lower.get(i, i));
  });
  return x;
}
