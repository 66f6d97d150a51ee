/** Why a cell is no acceptable number; the words stand in the error, the cell never does. */
export type CellFault =
  | 'missing'
  | 'not finite'
  | 'decimal comma'
  | 'spreadsheet error'
  | 'not a number'
  | 'negative'
  | 'fractional'
  | 'too large';

// no two parts can take the same digits: a cell of a million digits is refused in one pass
const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;
const COMMA = /^[+-]?\d{1,3}([.,]\d{3})*,\d+$|^[+-]?\d+,\d+$/;
const SPREADSHEET = /^#(N\/A|REF!|DIV\/0!|VALUE!|NAME\?|NUM!|NULL!|ERR)/;
const NOT_FINITE = /^[+-]?(nan|inf|infinity)$/i;

/** Marks of a missing value (R, spreadsheets, SQL). */
export const MISSING_MARKS: readonly string[] = ['', 'NA', 'N/A', 'null', 'NULL'];

/** Largest integer that float64 holds exactly. */
const LARGEST_COUNT = 2 ** 53;

/**
 * Number in a cell, or what is wrong with it.
 *
 * @param cell trimmed, unquoted
 * @param counts whether negative and fractional values are faults
 */
export function numberOf(cell: string, counts: boolean): number | CellFault {
  const digits = smallInteger(cell);
  if (digits >= 0) return digits;
  if (MISSING_MARKS.includes(cell)) return 'missing';
  if (NOT_FINITE.test(cell)) return 'not finite';
  if (SPREADSHEET.test(cell)) return 'spreadsheet error';
  if (!DECIMAL.test(cell)) return COMMA.test(cell) ? 'decimal comma' : 'not a number';
  const value = Number(cell);
  if (!Number.isFinite(value)) return 'not finite';
  if (!counts) return value;
  if (value < 0) return 'negative';
  if (!Number.isInteger(value)) return 'fractional';
  return value < LARGEST_COUNT ? value : 'too large';
}

/** Plain digits, the usual cell of a count matrix, without a regular expression; −1 for anything else. */
function smallInteger(cell: string): number {
  const length = cell.length;
  if (length === 0 || length > 15) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = cell.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}
