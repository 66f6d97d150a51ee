import { RegulonError } from '../errors/index.js';

/** A complex vector, real and imaginary parts apart. */
export interface Complex {
  readonly re: Float64Array;
  readonly im: Float64Array;
}

/**
 * Discrete Fourier transform in place, e^{−2πi·jk/n}; twice with swapped parts it gives n times the input.
 *
 * @param vector length a power of two
 * @throws E_INTERNAL for another length
 * @see Cooley & Tukey 1965, radix 2, decimation in time
 */
export function fft({ re, im }: Complex): void {
  const n = re.length;
  if (n === 0 || (n & (n - 1)) !== 0 || im.length !== n)
    throw new RegulonError('E_INTERNAL', `a transform of ${n} elements: no power of two`);
  reverseBits(re, im);
  const { cos, sin } = rootsOf(n);
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) butterflies(re, im, { start, half, stride, cos, sin });
  }
}

/** The inverse transform in place, scaled: `fft` followed by it is the identity. */
export function inverseFft({ re, im }: Complex): void {
  fft({ re: im, im: re });
  const n = re.length;
  for (let k = 0; k < n; k++) {
    re[k]! /= n;
    im[k]! /= n;
  }
}

interface Stage {
  readonly start: number;
  readonly half: number;
  readonly stride: number;
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

function butterflies(re: Float64Array, im: Float64Array, { start, half, stride, cos, sin }: Stage): void {
  for (let k = 0; k < half; k++) {
    const [a, b] = [start + k, start + k + half];
    const [c, s] = [cos[k * stride]!, sin[k * stride]!];
    const x = re[b]! * c + im[b]! * s;
    const y = im[b]! * c - re[b]! * s;
    re[b] = re[a]! - x;
    im[b] = im[a]! - y;
    re[a]! += x;
    im[a]! += y;
  }
}

/** cos and sin of 2πk/n for the first half of the circle, each from its own angle: no error adds up. */
function rootsOf(n: number): { cos: Float64Array; sin: Float64Array } {
  const half = Math.max(1, n / 2);
  const [cos, sin] = [new Float64Array(half), new Float64Array(half)];
  for (let k = 0; k < half; k++) {
    cos[k] = Math.cos((2 * Math.PI * k) / n);
    sin[k] = Math.sin((2 * Math.PI * k) / n);
  }
  return { cos, sin };
}

function reverseBits(re: Float64Array, im: Float64Array): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i >= j) continue;
    [re[i], re[j]] = [re[j]!, re[i]!];
    [im[i], im[j]] = [im[j]!, im[i]!];
  }
}
