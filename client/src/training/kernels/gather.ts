/**
 * Rows of a table by number; a number outside of it reads as zeros.
 *
 * @param table [vocabulary, units]
 * @param rows number of each row, [n]
 * @param out out: [n, units]
 */
export function gatherRows(table: Float32Array, rows: Int32Array, units: number, out: Float32Array): void {
  const vocabulary = table.length / units;
  rows.forEach((row, i) => {
    const to = i * units;
    if (row < 0 || row >= vocabulary) out.fill(0, to, to + units);
    else for (let j = 0; j < units; j++) out[to + j] = table[row * units + j]!;
  });
}

/**
 * The way back of `gatherRows`, a sum over the places where a row was read, in float64; numbers outside add nothing.
 *
 * @param gradient [n, units]
 * @param rows number of each row, [n]
 * @param sums out: [vocabulary, units]
 */
export function sumRows(gradient: Float32Array, rows: Int32Array, units: number, sums: Float32Array): void {
  const exact = new Float64Array(sums.length);
  const vocabulary = sums.length / units;
  rows.forEach((row, i) => {
    if (row < 0 || row >= vocabulary) return;
    for (let j = 0; j < units; j++) {
      exact[row * units + j] = exact[row * units + j]! + gradient[i * units + j]!;
    }
  });
  sums.set(exact);
}
