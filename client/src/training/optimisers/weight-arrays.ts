/** One weight and what belongs to it; all of one length. */
export interface WeightArrays {
  readonly weights: Float32Array;
  readonly gradient: Float32Array;
  readonly moments: readonly Float32Array[];
}
