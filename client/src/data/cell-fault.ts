import type { RegulonError } from '@regulon/shared/errors';
import type { CellFault } from './number-cell.js';
import { faultAt } from './table-reader.js';

const RULES: Record<CellFault, readonly [ErrorCodeOfFault, string]> = {
  missing: ['E_DATA_FORMAT', 'missing value'],
  'not finite': ['E_DATA_NOT_FINITE', 'NaN or infinite'],
  'decimal comma': [
    'E_DATA_FORMAT',
    'decimal comma (or thousands separator): write numbers with a decimal point',
  ],
  'spreadsheet error': [
    'E_DATA_FORMAT',
    'an error value of a spreadsheet: correct the sheet or empty the cell',
  ],
  'not a number': ['E_DATA_FORMAT', 'not a number'],
  negative: ['E_DATA_SCALE', 'negative, but the scale is counts'],
  fractional: ['E_DATA_SCALE', 'fractional, but the scale is counts'],
  'too large': ['E_DATA_SCALE', 'not below 2^53'],
};
type ErrorCodeOfFault = 'E_DATA_FORMAT' | 'E_DATA_NOT_FINITE' | 'E_DATA_SCALE';

const HINTS: Partial<Record<CellFault, string>> = {
  'spreadsheet error': 'correct the sheet, or name the mark with --missing',
  'not a number':
    'correct the cell, or import with --missing MARK, or with --text COLUMN when its words are no data',
};

/** The error about one cell: file, line, column and rule, never the cell. */
export function cellFault(file: string, line: number, column: number, fault: CellFault): RegulonError {
  const [code, rule] = RULES[fault];
  const hint = HINTS[fault];
  return faultAt(file, line, rule, { column, code, ...(hint === undefined ? {} : { hint }) });
}
