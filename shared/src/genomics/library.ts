/** Sum of the counts of one unit over some genes, or over all of them. */
export function libraryOf(values: Float64Array, start: number, genes: number, only?: Uint32Array): number {
  let sum = 0;
  if (only) for (const gene of only) sum += values[start + gene] ?? 0;
  else for (let gene = 0; gene < genes; gene++) sum += values[start + gene] ?? 0;
  return sum;
}
