import type { Rows } from '../stream/index.js';
import { sharesOf } from './identifier-kinds.js';

/** What the rows are, and what told. */
export interface RowsGuess {
  readonly rows: Rows;
  readonly because: 'names' | 'labels' | 'symbols' | 'shape';
}

const CLEAR = 0.3;
const SYMBOL = /^[A-Z][A-Z0-9]{1,8}(-[A-Z0-9]{1,4})?$/;

/**
 * Whether the rows of a table are genes or units, from the names.
 *
 * @param rowNames all of them, or the first ones
 * @param labelled units of the label table
 * @returns `because: 'shape'` is a mere guess: genes are the longer side
 */
export function guessRows(
  rowNames: readonly string[],
  columnNames: readonly string[],
  labelled?: ReadonlySet<string>,
): RowsGuess {
  if (labelled) {
    const known = (names: readonly string[]): number => names.filter((name) => labelled.has(name)).length;
    const [rows, columns] = [known(rowNames), known(columnNames)];
    if (rows !== columns) return { rows: rows > columns ? 'units' : 'genes', because: 'labels' };
  }
  const [row, column] = [sharesOf(rowNames), sharesOf(columnNames)];
  const genesInRows = row.feature + column.unit;
  const genesInColumns = column.feature + row.unit;
  if (Math.max(genesInRows, genesInColumns) >= CLEAR && genesInRows !== genesInColumns) {
    return { rows: genesInRows > genesInColumns ? 'genes' : 'units', because: 'names' };
  }
  const symbols = (names: readonly string[]): number =>
    names.filter((name) => SYMBOL.test(name)).length / Math.max(1, names.length);
  const [a, b] = [symbols(rowNames), symbols(columnNames)];
  if (Math.abs(a - b) > 0.5) return { rows: a > b ? 'genes' : 'units', because: 'symbols' };
  return { rows: rowNames.length >= columnNames.length ? 'genes' : 'units', because: 'shape' };
}
