import { add } from './numbers.js';
import type { UnitsView } from './view.js';

/**
 * In how many patients of a site something is found, column by column: a patient with several records counts once.
 *
 * @param width number of columns
 * @param found calls `mark` with each column of a unit, 0 … width − 1
 * @returns float64 [width], the caller owns it; units are counted where no view says whose they are
 */
export function countPatients(
  view: UnitsView,
  width: number,
  found: (unit: number, mark: (column: number) => void) => void,
): Float64Array {
  const { n, patients } = view;
  const counts = new Float64Array(width);
  const order = Array.from({ length: n }, (_, unit) => unit);
  if (patients) order.sort((a, b) => (patients[a] ?? 0) - (patients[b] ?? 0));
  // the turn in which a column was counted last; a turn is a patient
  const last = new Int32Array(width);
  let turn = 0;
  order.forEach((unit, i) => {
    if (i === 0 || !patients || patients[unit] !== patients[order[i - 1] ?? -1]) turn += 1;
    found(unit, (column) => {
      if (last[column] === turn) return;
      last[column] = turn;
      add(counts, column, 1);
    });
  });
  return counts;
}
