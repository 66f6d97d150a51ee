import { RegulonError } from '../errors/index.js';

/** Units of a weight: w̃ is a multiple of 2⁻²⁰. */
export const WEIGHT_UNITS = 2 ** 20;

/** Source of one u32 for each element; `Rounding` in the daemon. */
export interface RoundingSource {
  next(count: number): Uint32Array;
}

/** How one site's delta becomes ring elements. */
export interface QuantiseOptions {
  /** factor of every element before the division by C: w̃, times the clip factor; see `clipScale` */
  readonly weightScale: number;
  /** clip norm of the manifest */
  readonly C: number;
  /** ring units per clip norm, a power of two */
  readonly Q: number;
  readonly rounding: RoundingSource;
}

/**
 * Continue Σ x² over the next tile of a vector, in float64 and in order, so that the tile size does not matter.
 *
 * @param x float32 elements
 * @param sum of the tiles before
 */
export function normSquaredTile(x: Float32Array, sum = 0): number {
  for (let k = 0; k < x.length; k++) {
    const value = x[k] ?? 0;
    sum += value * value;
  }
  return sum;
}

/**
 * Factor that weights a delta and brings it below the clip norm.
 *
 * @param weight w̃ in [0, 1]
 * @param normSquared Σ x² of the unweighted delta
 * @returns w̃·min(1, C/‖w̃Δ‖) and whether the norm exceeded C
 * @throws E_CLIP_NORM if C is not finite and positive @throws E_NOT_FINITE if the norm is not finite
 * @see Abadi et al. 2016, Algorithm 1 (the whole update, not layer by layer)
 */
export function clipScale(
  weight: number,
  normSquared: number,
  C: number,
): { scale: number; exceeded: boolean } {
  if (!(C > 0) || !Number.isFinite(C)) throw new RegulonError('E_CLIP_NORM', 'the clip norm is not positive');
  const norm = weight * Math.sqrt(normSquared);
  if (!Number.isFinite(norm)) throw new RegulonError('E_NOT_FINITE', 'the norm of the update is not finite');
  return norm > C ? { scale: weight * (C / norm), exceeded: true } : { scale: weight, exceeded: false };
}

/**
 * Quantise one tile by unbiased stochastic rounding in float64: clamp(⌊(x/C)·Q + r·2⁻²⁴⌋, −Q, Q).
 *
 * @param x float32 elements of the delta, shape [k]; not changed
 * @param out receives k signed ring elements; may be longer
 * @throws E_NOT_FINITE if an element is NaN or infinite; `out` is then undefined
 */
export function quantiseTile(
  x: Float32Array,
  { weightScale, C, Q, rounding }: QuantiseOptions,
  out: Int32Array,
): void {
  const random = rounding.next(x.length);
  let check = 0;
  for (let k = 0; k < x.length; k++) {
    const value = x[k] ?? 0;
    check += value - value;
    const ratio = (value * weightScale) / C;
    const clamped = ratio > 1 ? 1 : ratio < -1 ? -1 : ratio;
    const q = Math.floor(clamped * Q + ((random[k] ?? 0) >>> 8) * 2 ** -24);
    out[k] = q > Q ? Q : q < -Q ? -Q : q;
  }
  if (check !== 0) throw new RegulonError('E_NOT_FINITE', 'the update holds an element that is not finite');
}

/**
 * The mean of a sum of quantised updates: (A/Q)·C/W, float64.
 *
 * @param sum ring elements of one tile
 * @param W decoded Σw̃, or the fixed denominator
 */
export function decodeMean(sum: Int32Array, { Q, C, W }: { Q: number; C: number; W: number }): Float64Array {
  const out = new Float64Array(sum.length);
  for (let k = 0; k < sum.length; k++) out[k] = (((sum[k] ?? 0) / Q) * C) / W;
  return out;
}

/** Signed elements of 32-bit ring bytes: a view where alignment allows, else a copy. */
export function decodeSigned32(bytes: Uint8Array): Int32Array {
  if (bytes.byteOffset % 4 === 0) return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  return new Int32Array(Uint8Array.from(bytes).buffer);
}
