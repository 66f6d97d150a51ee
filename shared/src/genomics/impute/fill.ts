import type { ImputeLowRankFit, ImputeNeighboursFit } from './impute-fit.js';
import { modelled, scoresFrom } from './low-rank-model.js';

/** Missing values become the mean of the nearest genes that the unit has; without any, the mean of the unit. */
export function fillFromNeighbours(row: Float64Array, { neighbours, nearest }: ImputeNeighboursFit): void {
  if (!row.some(Number.isNaN)) return;
  const given = row.slice();
  const present = given.filter((x) => !Number.isNaN(x));
  const mean = present.reduce((sum, x) => sum + x, 0) / present.length;
  for (let j = 0; j < row.length; j++) {
    if (!Number.isNaN(row[j] ?? NaN)) continue;
    let [sum, count] = [0, 0];
    for (const gene of nearest.subarray(j * neighbours, (j + 1) * neighbours)) {
      const x = given[gene] ?? NaN;
      if (Number.isNaN(x)) continue;
      sum += x;
      count += 1;
    }
    row[j] = count > 0 ? sum / count : mean;
  }
}

/** Missing values become what the model says, with the scores of the present ones. */
export function fillFromModel(row: Float64Array, fit: ImputeLowRankFit): void {
  if (!row.some(Number.isNaN)) return;
  const scores = scoresFrom(row, fit);
  for (let j = 0; j < row.length; j++) {
    if (Number.isNaN(row[j] ?? NaN)) row[j] = modelled(fit, scores, j);
  }
}
