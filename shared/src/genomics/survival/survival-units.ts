/** Follow-up of the units of one site. */
export interface SurvivalUnits {
  readonly time: Float64Array;
  /** 1 = event, 0 = censored */
  readonly event: Uint8Array;
  /** row-major [units, columns] */
  readonly x: Float64Array;
  readonly columns: number;
}

/** Row of covariates of a unit. */
export const rowOf = ({ x, columns }: SurvivalUnits, unit: number): Float64Array =>
  x.subarray(unit * columns, (unit + 1) * columns);

/** Σ aⱼ·bⱼ */
export const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, j) => sum + value * (b[j] ?? 0), 0);
