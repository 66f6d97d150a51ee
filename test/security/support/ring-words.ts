/** Arithmetic on vectors of ring words by plain JavaScript: what an attacker does with a sum. */
type Bits = 32 | 64;

const sum = (a: Uint8Array, b: Uint8Array, sign: 1 | -1, bits: Bits): Uint8Array => {
  const [x, y] = [a.slice().buffer, b.slice().buffer];
  if (bits === 64) {
    const right = new BigUint64Array(y);
    return new Uint8Array(new BigUint64Array(x).map((v, k) => v + BigInt(sign) * (right[k] ?? 0n)).buffer);
  }
  const right = new Uint32Array(y);
  return new Uint8Array(new Uint32Array(x).map((v, k) => v + sign * (right[k] ?? 0)).buffer);
};

/** a − b */
export const minus = (a: Uint8Array, b: Uint8Array, bits: Bits = 32): Uint8Array => sum(a, b, -1, bits);

/** Sum of some vectors of 32-bit words; at least one. */
export const plus = (...vectors: readonly Uint8Array[]): Uint8Array =>
  vectors.reduce((a, b) => sum(a, b, 1, 32));
