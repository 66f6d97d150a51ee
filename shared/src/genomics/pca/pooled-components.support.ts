import { Matrix, SVD } from 'ml-matrix';
import { lastStep } from '../fitted-steps.js';
import type { FeatureSpecification } from '../specification.js';
import { unitTransform } from '../transform.js';
import { joinUnits, type UnitsView } from '../view.js';

/** Components of the pooled matrix by singular values, in rows. */
export function pooledComponents(
  sites: readonly UnitsView[],
  spec: FeatureSpecification,
  genes: number,
): number[][] {
  const before = { ...spec, steps: spec.steps.filter(({ step }) => step !== 'pca') };
  const all = joinUnits(sites);
  const prepared = unitTransform(all, before);
  const rows = Array.from({ length: all.n }, (_, unit) => {
    const row = new Float64Array(genes);
    prepared.apply(unit, row);
    return row;
  });
  const matrix = new Matrix(rows).center('column');
  return new SVD(matrix, { autoTranspose: true }).rightSingularVectors.transpose().to2DArray();
}

/** Smallest |cosine| between the components of two fits. */
export function agreement(spec: FeatureSpecification, pooled: readonly number[][], count: number): number {
  const fit = lastStep(spec, 'pca');
  if (!fit) return NaN;
  const genes = fit.mean.length;
  return Math.min(
    ...Array.from({ length: count }, (_, c) =>
      Math.abs((pooled[c] ?? []).reduce((sum, x, j) => sum + x * (fit.loadings[c * genes + j] ?? 0), 0)),
    ),
  );
}
