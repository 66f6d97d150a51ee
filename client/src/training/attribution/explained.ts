/** Values and gradients of one output of each row. */
export interface OutputGradients {
  /** [n] */
  readonly values: Float64Array;
  /** row-major [n, inputs] */
  readonly gradients: Float64Array;
}

/**
 * A model as a function of one unit's row: all that most methods of attribution need.
 *
 * Rows are float64; a model that computes in float32 rounds them once.
 */
export interface Explained {
  /** numbers of a row */
  readonly inputs: number;
  /** numbers that the model gives for a row */
  readonly outputs: number;
  /** @param rows row-major [n, inputs] @returns row-major [n, outputs] */
  outputsOf(rows: Float64Array): Float64Array;
  /** @param rows row-major [n, inputs] @param output position of the output that is explained */
  gradientsOf(rows: Float64Array, output: number): OutputGradients;
  /**
   * Where a path from a baseline to a unit begins and ends: what the unit does not have is no part of the way.
   *
   * @returns both [inputs]: masks are the unit's in both, absent values 0 in both
   */
  endsOf(
    unit: Float64Array,
    baseline: Float64Array,
  ): { readonly from: Float64Array; readonly to: Float64Array };
}

/** One unit, and which number of the model's output is explained. */
export interface Question {
  /** [inputs] */
  readonly unit: Float64Array;
  /** position in the output, 0 … outputs − 1 */
  readonly output: number;
}
