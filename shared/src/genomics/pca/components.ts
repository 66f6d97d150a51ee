import { EigenvalueDecomposition, Matrix, QrDecomposition } from 'ml-matrix';

/**
 * Sign rule: the entry of largest absolute value of a component is positive, the first of equals.
 *
 * @param component changed in place
 */
function withSign(component: Float64Array): Float64Array {
  let largest = 0;
  component.forEach((x, j) => (largest = Math.abs(x) > Math.abs(component[largest] ?? 0) ? j : largest));
  return (component[largest] ?? 0) < 0 ? component.map((x) => -x) : component;
}

/** Orthonormal components (rows of `loadings`) and the variance along each, largest first. */
export interface Components {
  /** row-major [components, genes] */
  readonly loadings: Float64Array;
  readonly variance: Float64Array;
}

/**
 * Leading components of a covariance matrix.
 *
 * @param covariance symmetric, row-major [genes, genes]
 */
export function leadingComponents(covariance: Float64Array, genes: number, count: number): Components {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(
    Matrix.from1DArray(genes, genes, covariance),
    { assumeSymmetric: true },
  );
  // eigenvalues ascend
  const order = Array.from({ length: count }, (_, c) => genes - 1 - c);
  const loadings = new Float64Array(count * genes);
  order.forEach((column, c) =>
    loadings.set(withSign(Float64Array.from(eigenvectorMatrix.getColumn(column))), c * genes),
  );
  return { loadings, variance: Float64Array.from(order, (column) => realEigenvalues[column] ?? 0) };
}

/**
 * One step of subspace iteration: Rayleigh–Ritz in the span of the image.
 *
 * @param before orthonormal rows V, row-major [count, genes]
 * @param image rows (Σ x xᵀ / n)·V, row-major [count, genes]
 * @returns orthonormal rows that span the image, in the order of their variance as V saw it
 */
export function iterated(before: Float64Array, image: Float64Array, count: number): Components {
  const genes = before.length / count;
  const [old, next] = [before, image].map((rows) => Matrix.from1DArray(count, genes, rows));
  if (!old || !next) return { loadings: before, variance: new Float64Array(count) };
  const ritz = leadingComponents(
    Float64Array.from(symmetric(next.mmul(old.transpose())).to1DArray()),
    count,
    count,
  );
  const rotated = Matrix.from1DArray(count, count, ritz.loadings).mmul(next);
  const { orthogonalMatrix } = new QrDecomposition(rotated.transpose());
  const loadings = new Float64Array(before.length);
  for (let c = 0; c < count; c++)
    loadings.set(withSign(Float64Array.from(orthogonalMatrix.getColumn(c))), c * genes);
  return { loadings, variance: ritz.variance };
}

const symmetric = (m: Matrix): Matrix => Matrix.add(m, m.transpose()).mul(0.5);

/** Fixed orthonormal start, the same everywhere: no data and no randomness. */
export function startComponents(count: number, genes: number): Float64Array {
  let state = 1;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  const { orthogonalMatrix } = new QrDecomposition(
    Matrix.from1DArray(genes, count, Array.from({ length: genes * count }, next)),
  );
  const loadings = new Float64Array(count * genes);
  for (let c = 0; c < count; c++) loadings.set(orthogonalMatrix.getColumn(c), c * genes);
  return loadings;
}
