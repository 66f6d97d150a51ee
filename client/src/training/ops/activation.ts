import type { Activation } from '@regulon/shared/models';
import type { FastActivation, LayerKernels } from '../kernels/layer-kernels.js';

/** Rational approximation of tanh (degree 13/6); within 3e-7 of the exact value, + × ÷ only. */
export function fastTanh(x: number): number {
  const c =
    x > 7.90531110763549805 ? 7.90531110763549805 : x < -7.90531110763549805 ? -7.90531110763549805 : x;
  const s = c * c;
  const p =
    ((((((-2.76076847742355e-16 * s + 2.00018790482477e-13) * s - 8.60467152213735e-11) * s +
      5.12229709037114e-8) *
      s +
      1.48572235717979e-5) *
      s +
      6.37261928875436e-4) *
      s +
      4.89352455891786e-3) *
    c;
  const q =
    ((1.19825839466702e-6 * s + 1.18534705686654e-4) * s + 2.268434632439e-3) * s + 4.89352518554385e-3;
  return p / q;
}

/** Logistic function by `fastTanh`; within 2e-7 of the exact value. */
export function fastSigmoid(x: number): number {
  return 0.5 + 0.5 * fastTanh(0.5 * x);
}

/** z ← activation(z + bias), row by row. */
export function addBiasAndActivate(
  z: Float32Array,
  bias: Float32Array,
  activation: Activation,
  kernels?: LayerKernels,
): void {
  if (isFast(activation) && kernels?.biasActivation(activation, z, bias)) return;
  const columns = bias.length;
  for (let at = 0; at < z.length; at += columns) {
    for (let c = 0; c < columns; c++) z[at + c] = z[at + c]! + bias[c]!;
  }
  switch (activation) {
    case 'linear':
      return;
    case 'relu':
      // NaN is kept: a diverged model must be seen, not clipped to zero
      for (let i = 0; i < z.length; i++) if (z[i]! < 0) z[i] = 0;
      return;
    case 'tanh':
      for (let i = 0; i < z.length; i++) z[i] = fastTanh(z[i]!);
      return;
    case 'sigmoid':
      for (let i = 0; i < z.length; i++) z[i] = fastSigmoid(z[i]!);
      return;
  }
}

/** out ← gradient · activation′, where the derivative follows from the activated value y. */
export function throughActivation(
  y: Float32Array,
  gradient: Float32Array,
  activation: Activation,
  out: Float32Array,
  kernels?: LayerKernels,
): void {
  if (isFast(activation) && kernels?.activationBackward(activation, y, gradient, out)) return;
  switch (activation) {
    case 'linear':
      out.set(gradient);
      return;
    case 'relu':
      for (let i = 0; i < y.length; i++) out[i] = y[i]! > 0 ? gradient[i]! : 0;
      return;
    case 'tanh':
      for (let i = 0; i < y.length; i++) out[i] = gradient[i]! * (1 - y[i]! * y[i]!);
      return;
    case 'sigmoid':
      for (let i = 0; i < y.length; i++) out[i] = gradient[i]! * y[i]! * (1 - y[i]!);
      return;
  }
}

function isFast(activation: Activation): activation is FastActivation {
  return activation === 'relu' || activation === 'tanh';
}

/** Sum of each column of a row-major matrix, in float64, rounded once. */
export function columnSums(matrix: Float32Array, out: Float32Array, kernels?: LayerKernels): void {
  if (kernels?.columnSums(matrix, out)) return;
  const columns = out.length;
  const sums = new Float64Array(columns);
  for (let at = 0; at < matrix.length; at += columns) {
    for (let c = 0; c < columns; c++) sums[c] = sums[c]! + matrix[at + c]!;
  }
  out.set(sums);
}
