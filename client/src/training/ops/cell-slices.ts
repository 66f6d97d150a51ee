/** Slices of one time step, forward. Rows are the units of the batch. */
export interface ForwardSlices {
  readonly batch: number;
  /** width H of the state */
  readonly units: number;
  /** x·W of this step, [batch, gates · H], without bias; of an additive cell x·W + h·U */
  readonly fromInput: Float32Array;
  /** h·U of this step, [batch, gates · H], without bias; not read by additive cells */
  readonly fromState: Float32Array;
  readonly bias: Float32Array;
  readonly previous: Float32Array;
  /** what the cell remembered at the step before; null at the first step */
  readonly previousCache: Float32Array | null;
  /** out: new state, [batch, H] */
  readonly state: Float32Array;
  /** out: what the way back needs, [batch, cacheWidth · H] */
  readonly cache: Float32Array;
}

/** Slices of one time step, backward. */
export interface BackwardSlices {
  readonly batch: number;
  readonly units: number;
  /** in: gradient by this step's state; out: the part that reaches the state before directly, [batch, H] */
  readonly dState: Float32Array;
  /** carried gradient of a second state (LSTM), [batch, H] */
  readonly dCarry: Float32Array;
  readonly state: Float32Array;
  readonly previous: Float32Array;
  readonly cache: Float32Array;
  readonly previousCache: Float32Array | null;
  /** out: gradient by x·W, [batch, gates · H] */
  readonly dFromInput: Float32Array;
  /** out: gradient by h·U, [batch, gates · H]; the same array as `dFromInput` where they are equal */
  readonly dFromState: Float32Array;
}
