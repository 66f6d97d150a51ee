import type { LayerKernels } from './layer-kernels.js';

/** What is kept, and what it is multiplied by. */
export interface DropRule {
  /** probability of 0, in [0, 1); rounded to a multiple of 2⁻³² */
  readonly rate: number;
  readonly scale: number;
}

/**
 * out ← x · scale, or 0 with probability `rate`: the same words choose the same elements again on the way back.
 *
 * @param words uniform 32-bit words, [n], as the bits of floats
 * @param x [n]
 * @param out out: [n]
 */
export function drop(
  { words, x, out }: Record<'words' | 'x' | 'out', Float32Array>,
  { rate, scale }: DropRule,
  kernels?: LayerKernels,
): void {
  const n = x.length;
  const threshold = Math.round(rate * 2 ** 32);
  const arrays = [words, x, out].map((array) => [array, n] as const);
  if (kernels?.run('drop', n, [4 * n, threshold], arrays, [scale])) return;
  const chosen = wordsOf(words);
  for (let i = 0; i < n; i++) out[i] = chosen[i]! >= threshold ? x[i]! * scale : 0;
}

/** The bits of an array of floats. */
export function wordsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}
