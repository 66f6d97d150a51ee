import { symmetricEigen } from './symmetric-eigen.js';

/** Principal axes fitted on training units, with the mean they were centred on. */
export interface PrincipalAxes {
  readonly mean: Float64Array;
  /** row-major [components, features], orthonormal rows */
  readonly axes: Float64Array;
  readonly components: number;
}

/**
 * Principal components by the Gram matrix of the units (fewer units than features).
 *
 * @param x row-major [n, features]
 * @param wanted components; fewer when the units span fewer directions
 */
export function fitAxes(x: Float32Array, n: number, wanted: number): PrincipalAxes {
  const features = x.length / n;
  const mean = new Float64Array(features);
  for (let i = 0; i < x.length; i++) mean[i % features] = (mean[i % features] ?? 0) + (x[i] ?? 0) / n;
  const centred = Float64Array.from(x, (value, i) => value - (mean[i % features] ?? 0));
  const { values, vectors } = symmetricEigen(gramOf(centred, n), n);
  const largest = values[0] ?? 0;
  const components = Math.min(wanted, values.filter((value) => value > largest * 1e-10).length);
  const axes = new Float64Array(components * features);
  for (let c = 0; c < components; c++) {
    const scale = 1 / Math.sqrt(values[c] ?? 1);
    for (let i = 0; i < n; i++) {
      const weight = (vectors[c * n + i] ?? 0) * scale;
      for (let j = 0; j < features; j++) {
        axes[c * features + j] = (axes[c * features + j] ?? 0) + weight * (centred[i * features + j] ?? 0);
      }
    }
  }
  return { mean, axes, components };
}

/**
 * Squared error of test units after projection on the axes and back.
 *
 * @param x row-major [n, features]
 */
export function reconstructionError(x: Float32Array, { mean, axes, components }: PrincipalAxes): number {
  const features = mean.length;
  const row = new Float64Array(features);
  let squaredError = 0;
  for (let at = 0; at < x.length; at += features) {
    for (let j = 0; j < features; j++) row[j] = (x[at + j] ?? 0) - (mean[j] ?? 0);
    for (let c = 0; c < components; c++) {
      let score = 0;
      for (let j = 0; j < features; j++) score += (row[j] ?? 0) * (axes[c * features + j] ?? 0);
      for (let j = 0; j < features; j++) row[j] = (row[j] ?? 0) - score * (axes[c * features + j] ?? 0);
    }
    squaredError += row.reduce((sum, value) => sum + value * value, 0);
  }
  return squaredError;
}

function gramOf(centred: Float64Array, n: number): Float64Array {
  const features = centred.length / n;
  const gram = new Float64Array(n * n);
  for (let a = 0; a < n; a++) {
    const rowA = centred.subarray(a * features, (a + 1) * features);
    for (let b = 0; b <= a; b++) {
      const rowB = centred.subarray(b * features, (b + 1) * features);
      let sum = 0;
      for (let j = 0; j < features; j++) sum += (rowA[j] ?? 0) * (rowB[j] ?? 0);
      gram[a * n + b] = sum;
      gram[b * n + a] = sum;
    }
  }
  return gram;
}
