import { RegulonError } from '../errors/index.js';
import { randomBytes, type RandomSource } from './box.js';
import { hex } from './bytes.js';

/** One share with its public coordinate, which comes from the rank of its holder, never from a message. */
export interface Share {
  readonly x: number;
  readonly share: Uint8Array;
}

/**
 * Shamir's t-of-n sharing, byte-wise over GF(256) with the polynomial 0x11b.
 *
 * @param secret length a multiple of 4 bytes (32 here)
 * @param t shares needed, 1 ≤ t ≤ n
 * @param n shares made, at most 255
 * @param random uniform bytes; coefficients a₁..a_{t−1} in order, a zero leading one allowed
 * @returns n shares; share k has x = k + 1
 * @throws E_INTERNAL for impossible t, n or lengths
 * @see Shamir 1979
 */
export function shamirSplit(
  secret: Uint8Array,
  t: number,
  n: number,
  random: RandomSource = randomBytes,
): Uint8Array[] {
  if (!(Number.isInteger(t) && Number.isInteger(n) && t >= 1 && t <= n && n <= 255)) {
    throw new RegulonError('E_INTERNAL', `no sharing ${t} of ${n}`);
  }
  const coefficients = [packed(secret)];
  for (let k = 1; k < t; k++) coefficients.push(packed(random(secret.length)));
  const shares = Array.from({ length: n }, (_, k) => evaluate(coefficients, k + 1));
  for (const words of coefficients) words.fill(0);
  return shares;
}

/**
 * Secret from shares of distinct holders; any t of them give it, fewer give noise, wrong ones give a wrong secret:
 * the caller compares the result with a commitment.
 *
 * @throws E_SHARE if x is 0, above 255 or repeated, or lengths differ
 */
export function shamirCombine(shares: readonly Share[]): Uint8Array {
  const lambda = lagrangeAtZero(shares.map(({ x }) => x));
  const length = shares[0]?.share.length ?? 0;
  const sum = new Uint32Array(length / 4);
  shares.forEach(({ share }, k) => {
    if (share.length !== length) throw new RegulonError('E_SHARE', 'shares have different lengths');
    const words = packed(share);
    addScaled(sum, words, lambda[k] ?? 0);
    words.fill(0);
  });
  return new Uint8Array(sum.buffer);
}

/**
 * Lagrange coefficients at 0 for some coordinates; the last set is remembered, because one responder set opens many secrets.
 *
 * @throws E_SHARE if there is none, or one is 0, above 255 or repeated
 */
export function lagrangeAtZero(xs: readonly number[]): Uint8Array {
  const valid = xs.every((x) => Number.isInteger(x) && x >= 1 && x <= 255);
  if (!valid || xs.length === 0 || new Set(xs).size !== xs.length) {
    throw new RegulonError('E_SHARE', 'share coordinates must be distinct and between 1 and 255');
  }
  const key = hex(Uint8Array.from(xs));
  if (key !== remembered.key) {
    const lambda = xs.map((own) =>
      xs.reduce((product, x) => (x === own ? product : multiply(product, multiply(x, inverse(x ^ own)))), 1),
    );
    remembered = { key, lambda: Uint8Array.from(lambda) };
  }
  return remembered.lambda;
}

let remembered = { key: '', lambda: new Uint8Array() };

/** Horner's rule at a public x on four bytes at a time; no table is indexed by a secret. */
function evaluate(coefficients: readonly Uint32Array[], x: number): Uint8Array {
  const length = coefficients[0]?.length ?? 0;
  let value: Uint32Array = new Uint32Array(length);
  for (const coefficient of coefficients.toReversed()) {
    const next = Uint32Array.from(coefficient);
    addScaled(next, value, x);
    value = next;
  }
  return new Uint8Array(value.buffer);
}

/** sum += scale · words in GF(256), with a public scale */
function addScaled(sum: Uint32Array, words: Uint32Array, scale: number): void {
  for (let k = 0; k < words.length; k++) {
    let word = words[k] ?? 0;
    let product = sum[k] ?? 0;
    for (let bits = scale; bits !== 0; bits >>>= 1) {
      if (bits & 1) product ^= word;
      word = ((word & 0x7f7f7f7f) << 1) ^ (((word >>> 7) & 0x01010101) * 0x1b);
    }
    sum[k] = product;
  }
}

/** product of two public elements */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let bits = b; bits !== 0; bits >>>= 1) {
    if (bits & 1) product ^= a;
    a = ((a << 1) ^ (a & 0x80 ? 0x1b : 0)) & 0xff;
  }
  return product;
}

/** a⁻¹ = a²⁵⁴ of a public element */
function inverse(a: number): number {
  let power = 1;
  for (let k = 0; k < 254; k++) power = multiply(power, a);
  return power;
}

function packed(bytes: Uint8Array): Uint32Array {
  if (bytes.length === 0 || bytes.length % 4 !== 0)
    throw new RegulonError('E_SHARE', 'a secret or share has a wrong length');
  const copy = Uint8Array.from(bytes);
  return new Uint32Array(copy.buffer);
}
