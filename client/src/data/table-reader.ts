import { basename } from 'node:path';
import { type ErrorCode, RegulonError } from '@regulon/shared/errors';
import { cellsOf, ownText, type Separator, separatorOf } from './cells.js';
import { type TextOptions, textLines } from './text-lines.js';

/** Header of a delimited table: the names of its columns after the row name. */
export interface TableHeader {
  /** file name for errors */
  readonly file: string;
  /** column names, the row-name column and a trailing empty column left out */
  readonly names: readonly string[];
}

/** Receives a table row by row. */
export interface TableSink {
  /** called once, before the first row */
  header(header: TableHeader): void;
  /** one row: its name, its cells (as many as the header names), its line number in the file (from 1) */
  row(name: string, cells: readonly string[], line: number): void;
}

/** Where the column stands that names the rows, -1 for the first one of the file. @throws E_ARGUMENT when it is none */
export function idPosition({ file, names }: TableHeader, idColumn: string | undefined): number {
  const id = idColumn === undefined ? -1 : names.indexOf(idColumn);
  if (id < 0 && idColumn !== undefined)
    throw new RegulonError('E_ARGUMENT', `${file}: there is no column ${idColumn} after the first one`);
  return id;
}

/**
 * Read a delimited table (tab, comma or semicolon; see {@link textLines}) whose first column names the rows.
 *
 * An R header, one name short, a trailing empty column and a file without a header are understood. Blank lines are
 * passed over.
 *
 * @throws E_DATA_FORMAT naming file, line and rule
 */
export async function readTable(path: string, sink: TableSink, options: TextOptions = {}): Promise<void> {
  const file = basename(path);
  let shape: Shape | undefined;
  let head: string[] | undefined;
  let separator: Separator = '\t';
  for await (const batch of textLines(path, options)) {
    for (const [i, line] of batch.lines.entries()) {
      const number = batch.first + i;
      if (line.trim() === '' || options.select?.(line, number) === false) continue;
      if (!head) separator = separatorOf(line);
      const cells = cellsOf(line, separator);
      if (!cells) throw faultAt(file, number, 'a quote is not closed on its line, or stands inside a cell');
      if (!head) {
        head = isData(cells) ? cells.map((_, c) => `column ${c + 1}`) : cells;
        if (head === cells) continue;
      }
      if (!shape) {
        shape = shapeOf(head, cells, file, number);
        sink.header({ file, names: shape.names });
      }
      rowTo(sink, cells, shape, file, number);
    }
  }
  if (!head) throw new RegulonError('E_DATA_FORMAT', `${file}: is empty`);
  if (!shape) throw new RegulonError('E_DATA_FORMAT', `${file}: has a header but no rows`);
}

/** A first line that is no header: most of its cells are numbers, and some of them no name could be. */
function isData([, ...cells]: readonly string[]): boolean {
  const numbers = cells.filter((cell) => /^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(cell));
  return numbers.length > cells.length / 2 && numbers.some((cell) => /[.-]/.test(cell));
}

/** @throws always; an error that names file, line and, where known, column */
export function faultAt(
  file: string,
  line: number,
  rule: string,
  more: { column?: number; code?: ErrorCode; hint?: string } = {},
): RegulonError {
  const column = more.column === undefined ? '' : `, column ${more.column}`;
  const options = more.hint === undefined ? {} : { hint: more.hint };
  return new RegulonError(more.code ?? 'E_DATA_FORMAT', `${file}: line ${line}${column}: ${rule}`, options);
}

interface Shape {
  readonly names: readonly string[];
  /** cells of a row, the row name included */
  readonly width: number;
  /** rows end with an empty cell that belongs to no column */
  readonly trailing: boolean;
}

function shapeOf(head: readonly string[], row: readonly string[], file: string, line: number): Shape {
  const closed = head.at(-1) === '' && head.length > 1;
  const names = closed ? head.slice(0, -1) : head;
  const trailing = row.at(-1) === '' && (closed || row.length === head.length + 1);
  const width = row.length - (trailing ? 1 : 0);
  if (width === names.length) return { names: names.slice(1), width, trailing };
  if (width === names.length + 1) return { names, width, trailing };
  throw faultAt(file, line, `${width} cells under a header of ${names.length} names`, { hint: widthHint });
}

const widthHint =
  'give every row the cells of the header; --skip passes over lines before it; decimal commas between commas do this too';

function rowTo(sink: TableSink, cells: string[], shape: Shape, file: string, line: number): void {
  const extra = cells.length - shape.width;
  const closed = extra === 1 && shape.trailing && cells.at(-1) === '';
  if (extra !== 0 && !closed) {
    throw faultAt(file, line, `${cells.length} cells instead of ${shape.width}`, { hint: widthHint });
  }
  const [name = ''] = cells;
  if (name === '') throw faultAt(file, line, 'the row has no name', { column: 1 });
  sink.row(ownText(name), cells.slice(1, shape.width), line);
}
