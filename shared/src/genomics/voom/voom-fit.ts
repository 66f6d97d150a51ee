import type { Curve } from '../numeric/lowess.js';

/** Of the unweighted fit: effects of the covariates, without those of batches and sites. */
export interface LinearFit {
  readonly units: number;
  /** residual degrees of freedom: units − covariates − batches */
  readonly freedom: number;
  /** mean of log2(effective library + 1) */
  readonly meanLogLibrary: number;
  /** mean log2-CPM of each kept gene */
  readonly average: Float64Array;
  /** row-major [covariates, genes] */
  readonly beta: Float64Array;
}

/** Of the fit with precision weights, gene by gene. */
export interface WeightedFit {
  /** row-major [covariates, genes] */
  readonly beta: Float64Array;
  /** Z̃ᵀWZ̃, row-major [genes, covariates²] */
  readonly products: Float64Array;
  /** residual variance; absent before its round */
  readonly variance?: Float64Array;
}

/** One contrast of all kept genes; arrays in the order of the kept genes. */
export interface TestTable {
  /** panel positions */
  readonly genes: Uint32Array;
  /** log2 fold change */
  readonly logFC: Float64Array;
  /** mean log2-CPM */
  readonly average: Float64Array;
  /** moderated t statistic and its degrees of freedom */
  readonly t: Float64Array;
  readonly freedom: number;
  readonly pValue: Float64Array;
  /** false discovery rate of Benjamini and Hochberg */
  readonly adjusted: Float64Array;
  /** log odds of differential expression */
  readonly logOdds: Float64Array;
  /** half the width of the 95 % interval of logFC */
  readonly halfWidth: Float64Array;
}

/** limma-voom under way; arrays in the order of the kept genes, parts of rounds to come are absent. */
export interface VoomFit {
  readonly step: 'voom';
  /** mean logarithm of the units' upper quartiles */
  readonly logQuartile: number;
  readonly linear?: LinearFit;
  /** trend of √residual SD over mean log count */
  readonly trend?: Curve;
  readonly weighted?: WeightedFit;
}

/** Differential expression by limma-voom; nothing is transformed. Arrays in the order of the genes kept at this step. */
export interface LimmaVoomFit {
  readonly step: 'limma-voom';
  /** columns of the plan's design in the model, and the weight of each in the contrast */
  readonly covariates: Uint32Array;
  readonly contrast: Float64Array;
  readonly table: TestTable;
}
