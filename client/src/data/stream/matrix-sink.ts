import type { Cell } from '@regulon/shared/genomics';

/** What the rows of a file are. */
export type Rows = 'genes' | 'units';

/** What a reader knows before the first row. */
export interface MatrixHeader {
  /** e.g. `h5ad (CSR)` */
  readonly format: string;
  /** file name for errors */
  readonly file: string;
  /** null where only the names can tell */
  readonly rows: Rows | null;
  readonly columnNames: readonly string[];
  /** how errors call a column, e.g. `column 3` */
  readonly columnPlace: (column: number) => string;
  /** names of the annotations that come with every row */
  readonly rowColumns: readonly string[];
  /** annotations of the columns, one cell a column */
  readonly columnTable: ReadonlyMap<string, readonly Cell[]>;
  readonly notes: readonly string[];
}

/** Some rows of a matrix, in file order. */
export interface RowBlock {
  readonly names: readonly string[];
  /** how errors call a row of this block, e.g. `line 7` */
  readonly place: (row: number) => string;
  /** row-major [names, columns]; NaN where missing; only valid until the sink returns */
  readonly values: Float64Array;
  /** annotations of each row, as many cells as `rowColumns` */
  readonly cells: readonly (readonly Cell[])[];
}

/** Receives a matrix in pieces; what it throws ends the reading. */
export interface MatrixSink {
  /** called once, before any rows */
  begin(header: MatrixHeader): void;
  rows(block: RowBlock): void;
}

/** How a person may help a reader. */
export interface ReadOptions {
  /** delimited text: the column that names the rows; default the first */
  readonly idColumn?: string;
  /** delimited text: columns of numbers that describe the rows and are no data */
  readonly textColumns?: readonly string[];
  /** columns to leave out */
  readonly ignoreColumns?: readonly string[];
  /** delimited text: `1,5` is one and a half */
  readonly decimalComma?: boolean;
  /** delimited text: lines before the table */
  readonly skipLines?: number;
  /** delimited text: further marks of a missing value */
  readonly missingMarks?: readonly string[];
  /** h5ad and Zarr: `X` (default), `raw`, or the name of a layer */
  readonly layer?: string;
  /** featureCounts, STAR, Salmon: which numbers */
  readonly column?: string;
  /** HDF5 and Zarr: longest time for one piece, in ms; a damaged file may send its library round in circles */
  readonly patienceMs?: number;
  /** share of the file that was read, 0 … 1 */
  readonly progress?: (share: number) => void;
}

/** Cells that a block holds at most: 2 MiB of numbers. */
export const BLOCK_CELLS = 2 ** 18;

/** Rows of a block for a matrix of so many columns. */
export const rowsPerBlock = (columns: number): number =>
  Math.max(1, Math.floor(BLOCK_CELLS / Math.max(1, columns)));
