/** Units below which a cell of a table is not shown. */
export const LEAST_SHOWN = 5;

interface Cell {
  negative: number;
  positive: number;
}

const isSmall = (units: number): boolean => units > 0 && units < LEAST_SHOWN;
const tells = ({ negative, positive }: Cell): boolean => isSmall(negative) || isSmall(positive);
const together = (a: Cell, b: Cell): Cell => ({
  negative: a.negative + b.negative,
  positive: a.positive + b.positive,
});

/**
 * Merge neighbouring cells of a histogram of scores until each holds none or at least five units of either class.
 *
 * What follows from fewer cells is less sharp: the printed bounds say by how much.
 *
 * @param sums negatives of each cell, then positives, shape [2 · cells]
 * @returns shape [2 · fewer cells]; null when even one cell for all shows a small class; the caller owns it
 */
export function withoutSmallCells(sums: Float64Array): Float64Array | null {
  const count = sums.length / 2;
  const cells: Cell[] = [];
  let open: Cell = { negative: 0, positive: 0 };
  for (let i = 0; i < count; i++) {
    open = together(open, {
      negative: Math.round(sums[i] ?? 0),
      positive: Math.round(sums[count + i] ?? 0),
    });
    if (tells(open)) continue;
    cells.push(open);
    open = { negative: 0, positive: 0 };
  }
  while (tells(open)) {
    const before = cells.pop();
    if (!before) return null;
    open = together(before, open);
  }
  if (open.negative + open.positive > 0) cells.push(open);
  return Float64Array.of(...cells.map((c) => c.negative), ...cells.map((c) => c.positive));
}
