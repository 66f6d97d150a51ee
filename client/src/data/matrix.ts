import { RegulonError } from '@regulon/shared/errors';
import { cellFault } from './cell-fault.js';
import { numberOf } from './number-cell.js';
import { faultAt, readTable, type TableHeader } from './table-reader.js';

/** A numeric table as it lies in its file. */
export interface Matrix {
  readonly file: string;
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
  /** file line of each row */
  readonly lines: readonly number[];
  /** file column (from 1) of each column */
  readonly columns: readonly number[];
  /** row-major [rows, columns]; NaN where missing */
  readonly values: Float64Array;
}

export interface MatrixOptions {
  /** refuse negative and fractional values */
  readonly counts: boolean;
  /** keep missing cells as NaN instead of refusing them */
  readonly keepMissing: boolean;
  /** which named columns to read; default all */
  readonly wanted?: (name: string) => boolean;
  /** a rule that a row name breaks, or null */
  readonly rowRule?: (name: string) => string | null;
}

/** 2²⁷ numbers are 1 GiB. */
export const MAX_CELLS = 2 ** 27;

/**
 * Read a numeric table of any size, all or nothing.
 *
 * @throws E_DATA_FORMAT, E_DATA_NOT_FINITE, E_DATA_SCALE naming file, line, column and rule, never a value
 * @throws E_DATA_DUPLICATE when two rows or two columns have one name
 */
export async function readMatrix(path: string, options: MatrixOptions): Promise<Matrix> {
  const builder = new MatrixBuilder(options);
  await readTable(path, builder);
  return builder.matrix();
}

class MatrixBuilder {
  private file = '';
  private columnNames: string[] = [];
  /** positions among the named columns */
  private positions: number[] = [];
  private readonly rowNames: string[] = [];
  private readonly lines: number[] = [];
  private readonly seen = new Map<string, number>();
  private values = new Float64Array(0);

  constructor(private readonly options: MatrixOptions) {}

  header({ file, names }: TableHeader): void {
    this.file = file;
    const wanted = this.options.wanted ?? (() => true);
    this.positions = names.flatMap((name, i) => (wanted(name) ? [i] : []));
    this.columnNames = this.positions.map((i) => names[i] ?? '');
    if (this.positions.length === 0) throw new RegulonError('E_DATA_FORMAT', `${file}: no column to read`);
    const first = new Map<string, number>();
    this.columnNames.forEach((name, i) => {
      const column = this.fileColumn(i);
      if (name === '') throw faultAt(file, 1, 'the column has no name', { column });
      const before = first.get(name);
      if (before !== undefined) {
        throw faultAt(file, 1, `the same name as column ${before}`, { column, code: 'E_DATA_DUPLICATE' });
      }
      first.set(name, column);
    });
  }

  row(name: string, cells: readonly string[], line: number): void {
    const rule = this.options.rowRule?.(name);
    if (rule) throw faultAt(this.file, line, rule, { column: 1 });
    const before = this.seen.get(name);
    if (before !== undefined) {
      throw faultAt(this.file, line, `the same name as line ${before}`, {
        column: 1,
        code: 'E_DATA_DUPLICATE',
      });
    }
    this.seen.set(name, line);
    const start = this.rowNames.length * this.positions.length;
    this.reserve(start + this.positions.length);
    for (let i = 0; i < this.positions.length; i++) {
      const value = numberOf(cells[this.positions[i] ?? 0] ?? '', this.options.counts);
      if (typeof value === 'number') this.values[start + i] = value;
      else if (value === 'missing' && this.options.keepMissing) this.values[start + i] = NaN;
      else throw cellFault(this.file, line, this.fileColumn(i), value);
    }
    this.rowNames.push(name);
    this.lines.push(line);
  }

  matrix(): Matrix {
    const { file, rowNames, columnNames, lines } = this;
    const values = this.values.subarray(0, rowNames.length * columnNames.length);
    return {
      file,
      rowNames,
      columnNames,
      lines,
      columns: columnNames.map((_, i) => this.fileColumn(i)),
      values,
    };
  }

  private fileColumn(i: number): number {
    return (this.positions[i] ?? 0) + 2;
  }

  /** Grow by half, so that at most half of the space is unused; the limit is checked before the allocation. */
  private reserve(needed: number): void {
    if (needed <= this.values.length) return;
    if (needed > MAX_CELLS)
      throw new RegulonError('E_DATA_FORMAT', `${this.file}: more than ${MAX_CELLS} numbers`);
    const larger = new Float64Array(
      Math.min(MAX_CELLS, Math.max(4096, needed, Math.ceil(this.values.length * 1.5))),
    );
    larger.set(this.values);
    this.values = larger;
  }
}
