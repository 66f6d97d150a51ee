/**
 * Replace the values of one unit by the reference at their ranks; ties get their average rank, interpolated.
 *
 * @param row values in the order of the genes, shape of `reference`; changed in place
 */
export function toReference(row: Float64Array, reference: Float64Array): void {
  const order = Uint32Array.from(row.keys()).sort((a, b) => (row[a] ?? 0) - (row[b] ?? 0));
  const values = Float64Array.from(order, (gene) => row[gene] ?? 0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to + 1 < order.length && values[to + 1] === values[from]) to++;
    const rank = (from + to) / 2;
    const [low, high] = [reference[Math.floor(rank)] ?? 0, reference[Math.ceil(rank)] ?? 0];
    for (let k = from; k <= to; k++) row[order[k] ?? 0] = (low + high) / 2;
    from = to + 1;
  }
}
