import type { UnitRange } from '../ops/op.js';

/** Σ x², in float64. */
export function squares(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

/** ‖column sums‖² of row-major rows, in float64. */
export function columnNorm(values: Float32Array, width: number): number {
  const sums = new Float64Array(width);
  addRows(values, sums);
  return squares(sums);
}

/** Add every row of a row-major matrix. */
export function addRows(values: Float32Array, sums: Float64Array): void {
  const width = sums.length;
  for (let at = 0; at < values.length; at += width) {
    for (let c = 0; c < width; c++) sums[c] = sums[c]! + values[at + c]!;
  }
}

/** The part of a batch that belongs to some units. @param size numbers of a unit */
export function unitsOf(values: Float32Array, { from, to }: UnitRange, size: number): Float32Array {
  return values.subarray(from * size, to * size);
}
