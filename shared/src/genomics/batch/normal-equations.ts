import { EigenvalueDecomposition, Matrix, solve } from 'ml-matrix';
import { RegulonError } from '../../errors/index.js';

/** Smallest eigenvalue of the columns' correlation matrix that counts as a design of full rank. */
const FULL_RANK = 1e-9;

/**
 * Solve ZᵀZ·β = ZᵀY.
 *
 * @param zz [p, p], symmetric
 * @param zy row-major [p, genes]
 * @returns β, row-major [p, genes]; the caller owns it; empty when p is 0
 * @throws E_DESIGN when a column is explained by the others
 */
export function solveNormalEquations(zz: Float64Array, zy: Float64Array, p: number): Float64Array {
  if (p === 0) return new Float64Array(0);
  const products = Matrix.from1DArray(p, p, zz);
  const size = products.diagonal().map((x) => Math.sqrt(Math.max(0, x)));
  const correlation = Matrix.from1DArray(
    p,
    p,
    zz.map((x, k) => x / ((size[Math.floor(k / p)] ?? 0) * (size[k % p] ?? 0))),
  );
  const ofFullRank =
    size.every((x) => x > 0) &&
    Math.min(...new EigenvalueDecomposition(correlation, { assumeSymmetric: true }).realEigenvalues) >
      FULL_RANK;
  if (!ofFullRank) {
    throw new RegulonError(
      'E_DESIGN',
      'design: a column is explained by the batches or by the other columns',
    );
  }
  const genes = zy.length / p;
  return Float64Array.from(solve(products, Matrix.from1DArray(p, genes, zy)).to1DArray());
}
