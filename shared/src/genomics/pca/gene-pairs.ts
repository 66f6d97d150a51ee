/** Pairs of genes, each with itself included. */
export const pairs = (genes: number): number => (genes * (genes + 1)) / 2;

/** Add the upper triangle, row by row, of x·xᵀ to the sums. */
export function productsOfPairs(x: Float64Array, sums: Float64Array): void {
  let at = 0;
  for (let j = 0; j < x.length; j++) {
    const own = x[j] ?? 0;
    for (let k = j; k < x.length; k++, at++) sums[at] = (sums[at] ?? 0) + own * (x[k] ?? 0);
  }
}
