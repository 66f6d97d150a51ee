import { RegulonError } from '../../errors/index.js';
import type { Curve } from '../numeric/lowess.js';
import type { FeatureSpecification } from '../specification.js';

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

/** What the rounds of limma-voom know so far. */
export interface VoomState {
  /** counts, and the genes that the expression filter kept */
  readonly spec: FeatureSpecification;
  /** mean logarithm of the units' upper quartiles */
  readonly logQuartile?: number;
  readonly linear?: LinearFit;
  /** trend of √residual SD over mean log count */
  readonly trend?: Curve;
  readonly weighted?: WeightedFit;
}

/** A part of the state. @throws E_STATE when the rounds came in another order */
export function required<K extends keyof VoomState>(state: VoomState, key: K): NonNullable<VoomState[K]> {
  const value = state[key];
  if (value === undefined) throw new RegulonError('E_STATE', `limma-voom: ${key} is not known yet`);
  return value;
}
