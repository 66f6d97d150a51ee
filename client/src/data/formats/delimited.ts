import type { Cell } from '@regulon/shared/genomics';
import { RegulonError } from '@regulon/shared/errors';
import { ownText } from '../cells.js';
import { cellFault } from '../cell-fault.js';
import { MISSING_MARKS, numberOf } from '../number-cell.js';
import { BlockBuffer, type MatrixSink, type ReadOptions, type Rows } from '../stream/index.js';
import { faultAt, idPosition, readTable, type TableHeader, type TableSink } from '../table-reader.js';

/** Rows that are looked at before it is decided which columns hold numbers, fewer of very wide ones. */
const SAMPLE_ROWS = 64;
const SAMPLE_CELLS = 2 ** 20;

/** In the details of the error about a table without numbers. */
export const NO_NUMBERS = 'no-numbers';

interface Line {
  readonly name: string;
  readonly cells: readonly string[];
  readonly line: number;
}

/** What a format says about the table in its file. */
export interface TablePreset {
  readonly format: string;
  readonly rows: Rows | null;
  /** whether a line belongs to the table */
  readonly select?: (line: string, number: number) => boolean;
  readonly latin1?: boolean;
  /** columns that are no data, beside those that hold words */
  readonly isText?: (name: string, position: number) => boolean;
  /** columns that are left out */
  readonly isIgnored?: (name: string) => boolean;
  /** rows that are left out */
  readonly skipsRow?: (name: string) => boolean;
  /** annotations of the columns of numbers, asked for when the first row has come */
  readonly columnTable?: (names: readonly string[]) => ReadonlyMap<string, readonly Cell[]>;
  readonly notes?: () => readonly string[];
}

/**
 * Delimited text: CSV, TSV, or columns of blanks.
 *
 * Columns of text beside the numbers are annotations of the rows.
 *
 * @throws E_DATA_FORMAT, E_DATA_NOT_FINITE naming file, line, column and rule, never a value
 */
export async function readDelimited(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const { skipLines = 0 } = options;
  await readPreset(path, options, sink, {
    ...{ format: 'delimited text', rows: null },
    select: (_, line) => line > skipLines,
  });
}

/** Read the table in a file as its format says. @throws as `readDelimited` */
export async function readPreset(
  path: string,
  options: ReadOptions,
  sink: MatrixSink,
  preset: TablePreset,
): Promise<void> {
  const table = new DelimitedTable(options, sink, preset);
  const { select, latin1 = false } = preset;
  await readTable(path, table, { progress: options.progress, select, latin1 });
  table.end();
}

class DelimitedTable implements TableSink {
  private head: TableHeader = { file: '', names: [] };
  private sample: Line[] = [];
  private buffer: BlockBuffer | undefined;
  /** positions of the columns of numbers, of the annotations, and of the row names (−1: first column of the file) */
  private numbers: number[] = [];
  private texts: number[] = [];
  private id = -1;
  private readonly marks: ReadonlySet<string>;

  constructor(
    private readonly options: ReadOptions,
    private readonly sink: MatrixSink,
    private readonly preset: TablePreset,
  ) {
    this.marks = new Set(options.missingMarks);
  }

  header(head: TableHeader): void {
    this.head = head;
    this.id = idPosition(head, this.options.idColumn);
  }

  row(name: string, cells: readonly string[], line: number): void {
    if (this.preset.skipsRow?.(name) === true) return;
    if (this.buffer) return this.add({ name, cells, line }, this.buffer);
    this.sample.push({ name, cells, line });
    const cellsKept = this.sample.length * cells.length;
    if (this.sample.length === SAMPLE_ROWS || cellsKept >= SAMPLE_CELLS) this.begin();
  }

  end(): void {
    if (!this.buffer) this.begin();
    this.buffer?.flush();
  }

  private begin(): void {
    const { file, names } = this.head;
    const { textColumns = [], ignoreColumns = [] } = this.options;
    names.forEach((name, i) => {
      if (i === this.id || ignoreColumns.includes(name) || this.preset.isIgnored?.(name) === true) return;
      const text = textColumns.includes(name) || this.preset.isText?.(name, i) === true || this.isText(i);
      (text ? this.texts : this.numbers).push(i);
    });
    if (this.numbers.length === 0) {
      throw new RegulonError('E_DATA_FORMAT', `${file}: no column of numbers beside the row names`, {
        hint: 'a table of labels is passed with --labels; numbers need a decimal point, or --decimal-comma',
        details: { rule: NO_NUMBERS },
      });
    }
    const dropped = this.dropRepeatedTexts();
    const columnNames = this.numbers.map((i) => names[i] ?? '');
    const { format, rows, columnTable, notes } = this.preset;
    this.sink.begin({
      ...{ format, file, rows, columnNames, columnTable: columnTable?.(columnNames) ?? new Map() },
      columnPlace: (column) => `column ${this.fileColumn(column)}`,
      rowColumns: this.texts.map((i) => this.textName(i)),
      notes: [...(notes?.() ?? []), ...dropped],
    });
    this.buffer = new BlockBuffer(this.sink, this.numbers.length);
    for (const line of this.sample) this.add(line, this.buffer);
    this.sample = [];
  }

  /**
   * Whether a column holds words: at least half of its first cells are no numbers, not even with a decimal comma. A word
   * among numbers is a fault of its cell: the column of a unit is never left out for it.
   */
  private isText(i: number): boolean {
    const cells = this.sample
      .map(({ cells }) => cells[i] ?? '')
      .filter((c) => !MISSING_MARKS.includes(c) && !this.marks.has(c));
    const words = cells.filter((cell) => numberOf(cell, false) === 'not a number').length;
    return words > 0 && 2 * words >= cells.length;
  }

  /** Columns of one name (the calls of arrays) cannot be told apart. @returns remarks */
  private dropRepeatedTexts(): string[] {
    const { names } = this.head;
    const times = new Map<string, number>();
    for (const i of this.texts) times.set(names[i] ?? '', (times.get(names[i] ?? '') ?? 0) + 1);
    this.texts = this.texts.filter((i) => times.get(names[i] ?? '') === 1);
    // the first column of the file describes the rows when another one names them
    if (this.id >= 0) this.texts.push(-1);
    return [...times]
      .filter(([, count]) => count > 1)
      .map(([name, count]) => `${count} columns of text named ${name} are left out`);
  }

  private textName(i: number): string {
    return i < 0 ? 'first column' : (this.head.names[i] ?? '');
  }

  private fileColumn(column: number): number {
    return (this.numbers[column] ?? 0) + 2;
  }

  private add({ name, cells, line }: Line, buffer: BlockBuffer): void {
    const own = this.id < 0 ? name : ownText(cells[this.id] ?? '');
    if (own === '') throw faultAt(this.head.file, line, 'the row has no name', { column: this.id + 2 });
    const texts = this.texts.map((i) => textCell(i < 0 ? name : (cells[i] ?? '')));
    const row = buffer.add(own, `line ${line}`, texts);
    for (let c = 0; c < row.length; c++) {
      let cell = cells[this.numbers[c] ?? 0] ?? '';
      if (this.marks.has(cell)) cell = '';
      if (this.options.decimalComma === true && /^[^.,]*,\d+$/.test(cell)) cell = cell.replace(',', '.');
      const value = numberOf(cell, false);
      if (typeof value === 'number') row[c] = value;
      else if (value === 'missing') row[c] = NaN;
      else throw cellFault(this.head.file, line, this.fileColumn(c), value);
    }
  }
}

function textCell(cell: string): Cell {
  return MISSING_MARKS.includes(cell) ? null : ownText(cell);
}
