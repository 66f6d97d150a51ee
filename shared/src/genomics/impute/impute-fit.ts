/** Missing values become the mean of their gene; aligned with the genes kept at this step. */
export interface ImputeMeanFit {
  readonly step: 'impute-mean';
  readonly mean: Float64Array;
}

/** A missing value becomes the mean of the nearest genes in the same unit. */
export interface ImputeNeighboursFit {
  readonly step: 'impute-neighbours';
  readonly neighbours: number;
  /** units with both genes, pair by pair (a < b, row by row), 0 below the disclosure minimum; empty once fitted */
  readonly pairs: Uint32Array;
  /** row-major [genes, neighbours], positions among the genes kept, nearest first; `NO_GENE` where there are fewer */
  readonly nearest: Uint32Array;
}

/** A missing value becomes mean + Σ score · loading, with the scores that fit the present values of the unit. */
export interface ImputeLowRankFit {
  readonly step: 'impute-low-rank';
  readonly rank: number;
  /** of ½‖x − mean − scores·loadings‖² + ½·penalty·‖scores‖² over present values, > 0 */
  readonly penalty: number;
  readonly mean: Float64Array;
  /** row-major [rank, genes], orthonormal */
  readonly loadings: Float64Array;
  /** root mean square of what the loadings before the last round left of present values; 0 before it is known */
  readonly residual: number;
}

export const NO_GENE = 0xffffffff;
