import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { ImputeLowRankFit } from './impute-fit.js';

/** Scores of a unit from its present values: (V_o·V_oᵀ + penalty·I)⁻¹·V_o·(x_o − mean_o). */
export function scoresFrom(
  row: Float64Array,
  { rank, penalty, mean, loadings }: ImputeLowRankFit,
): Float64Array {
  const genes = row.length;
  const [square, image] = [Matrix.eye(rank, rank).mul(penalty), Matrix.zeros(rank, 1)];
  for (let j = 0; j < genes; j++) {
    const d = (row[j] ?? NaN) - (mean[j] ?? 0);
    if (Number.isNaN(d)) continue;
    for (let a = 0; a < rank; a++) {
      const own = loadings[a * genes + j] ?? 0;
      image.set(a, 0, image.get(a, 0) + own * d);
      for (let b = 0; b < rank; b++)
        square.set(a, b, square.get(a, b) + own * (loadings[b * genes + j] ?? 0));
    }
  }
  return Float64Array.from(new CholeskyDecomposition(square).solve(image).to1DArray());
}

/** What the model says of a gene of a unit. */
export function modelled(
  { rank, mean, loadings }: ImputeLowRankFit,
  scores: Float64Array,
  gene: number,
): number {
  let value = mean[gene] ?? 0;
  for (let a = 0; a < rank; a++) value += (scores[a] ?? 0) * (loadings[a * mean.length + gene] ?? 0);
  return value;
}
