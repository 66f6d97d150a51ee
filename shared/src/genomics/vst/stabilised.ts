/** Variance-stabilised value of a normalised count. */
export function stabilised(
  count: number,
  { asymptotic: a, extra: e }: { asymptotic: number; extra: number },
): number {
  return Math.log2((1 + e + 2 * a * count + 2 * Math.sqrt(a * count * (1 + e + a * count))) / (4 * a));
}
