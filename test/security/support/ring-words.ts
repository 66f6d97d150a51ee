/** Arithmetic on vectors of 32-bit ring words, by plain JavaScript numbers: what an attacker does with a sum. */
const words = (bytes: Uint8Array): Uint32Array => new Uint32Array(bytes.slice().buffer);

const bytesOf = (values: Uint32Array): Uint8Array => new Uint8Array(values.buffer);

/** a − b */
export function minus(a: Uint8Array, b: Uint8Array): Uint8Array {
  const [x, y] = [words(a), words(b)];
  return bytesOf(x.map((value, k) => value - (y[k] ?? 0)));
}

/** Sum of some vectors; at least one. */
export function plus(...vectors: readonly Uint8Array[]): Uint8Array {
  const sum = new Uint32Array((vectors[0]?.length ?? 0) / 4);
  for (const vector of vectors) words(vector).forEach((value, k) => (sum[k] = (sum[k] ?? 0) + value));
  return bytesOf(sum);
}
