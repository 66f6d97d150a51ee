import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import { MISSING_MARKS, numberOf } from './number-cell.js';
import { faultAt, readTable, type TableHeader } from './table-reader.js';

/** A label table as it lies in its file; rows are units, joined to the matrix by id, never by position. */
export interface LabelFile {
  readonly file: string;
  readonly columnNames: readonly string[];
  readonly rows: ReadonlyMap<string, readonly Cell[]>;
}

/** Label tables are small; a larger file is a mistake. */
const MAX_UNITS = 1_000_000;

/**
 * Read a label table: first column the unit, the others numbers, texts or missing marks.
 *
 * @throws E_DATA_FORMAT, E_DATA_NOT_FINITE, E_DATA_DUPLICATE naming file, line, column and rule, never a value
 */
export async function readLabelFile(path: string): Promise<LabelFile> {
  const file = basename(path);
  const rows = new Map<string, Cell[]>();
  const lines = new Map<string, number>();
  let columnNames: readonly string[] = [];
  await readTable(path, {
    header({ names }: TableHeader) {
      columnNames = names;
      const seen = new Set<string>();
      names.forEach((name, i) => {
        if (name === '') throw faultAt(file, 1, 'the column has no name', { column: i + 2 });
        if (seen.size === seen.add(name).size) {
          throw faultAt(file, 1, `two columns are named ${name}`, {
            column: i + 2,
            code: 'E_DATA_DUPLICATE',
          });
        }
      });
    },
    row(name, cells, line) {
      const before = lines.get(name);
      if (before !== undefined) {
        throw faultAt(file, line, `the same unit as line ${before}`, { column: 1, code: 'E_DATA_DUPLICATE' });
      }
      if (lines.size >= MAX_UNITS)
        throw new RegulonError('E_DATA_FORMAT', `${file}: more than ${MAX_UNITS} units`);
      lines.set(name, line);
      rows.set(
        name,
        cells.map((cell, i) => cellOf(cell, file, line, columnNames[i] ?? '')),
      );
    },
  });
  return { file, columnNames, rows };
}

function cellOf(cell: string, file: string, line: number, column: string): Cell {
  if (MISSING_MARKS.includes(cell)) return null;
  const value = numberOf(cell, false);
  if (typeof value === 'number') return value;
  const bad = (rule: string, code: 'E_DATA_FORMAT' | 'E_DATA_NOT_FINITE'): RegulonError =>
    new RegulonError(code, `${file}: line ${line}, column ${column}: ${rule}`);
  if (value === 'not finite') throw bad('NaN or infinite', 'E_DATA_NOT_FINITE');
  if (value === 'decimal comma')
    throw bad('decimal comma: write numbers with a decimal point', 'E_DATA_FORMAT');
  return cell;
}

/**
 * Columns of a label table in the order of the units.
 *
 * @param where how errors call the units of the matrix
 * @throws E_LABEL_MISSING counting the units that the table does not have, with the places of the first ones
 */
export function alignLabels(
  labels: LabelFile,
  unitIds: readonly string[],
  where: { readonly file: string; readonly place: (unit: number) => string },
): Map<string, Cell[]> {
  const absent = unitIds.flatMap((id, unit) => (labels.rows.has(id) ? [] : [unit]));
  if (absent.length > 0) {
    const places = absent
      .slice(0, 5)
      .map((unit) => where.place(unit))
      .join(', ');
    const more = absent.length > 5 ? ' …' : '';
    throw new RegulonError(
      'E_LABEL_MISSING',
      `${labels.file}: ${absent.length} of ${unitIds.length} units of ${where.file} are missing (${places}${more})`,
    );
  }
  return new Map(
    labels.columnNames.map((name, c) => [name, unitIds.map((id) => labels.rows.get(id)?.[c] ?? null)]),
  );
}
