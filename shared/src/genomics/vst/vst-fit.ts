/** DESeq2's search for the dispersion of each kept gene under way; all arrays aligned with the kept genes. */
export interface DispersionsFit {
  readonly step: 'dispersions';
  /** evaluations done */
  readonly rounds: number;
  readonly units: number;
  readonly meanInverseFactor: number;
  /** mean normalised count */
  readonly mean: Float64Array;
  /** ln of the dispersion: where the search began, and where it is */
  readonly start: Float64Array;
  readonly at: Float64Array;
  /** adjusted log-likelihood there, its derivative, its first value, and the step size */
  readonly value: Float64Array;
  readonly slope: Float64Array;
  readonly initial: Float64Array;
  readonly kappa: Float64Array;
  /** best place of the coarse grid, for genes whose search did not settle; else 0 */
  readonly grid: Float64Array;
  /** Σ over units of what DESeq2 leaves out of ln P */
  readonly constant: Float64Array;
  /** steps taken; the round in which the search ended, 0 before */
  readonly accepted: Uint32Array;
  readonly done: Uint32Array;
}

/** Variance-stabilising transformation of normalised counts with dispersion = asymptotic + extra / mean. */
export interface VstFit {
  readonly step: 'vst';
  readonly asymptotic: number;
  readonly extra: number;
}
