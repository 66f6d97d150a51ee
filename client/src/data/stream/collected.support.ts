import type { Cell } from '@regulon/shared/genomics';
import { RegulonError } from '@regulon/shared/errors';
import { readerOf } from '../formats/recognise.js';
import type { MatrixHeader, MatrixSink, ReadOptions, RowBlock } from './matrix-sink.js';

/** A whole matrix in memory; for specs. */
export class Collected implements MatrixSink {
  header: MatrixHeader | undefined;
  readonly rowNames: string[] = [];
  readonly values: number[][] = [];
  readonly cells: (readonly Cell[])[] = [];

  begin(header: MatrixHeader): void {
    this.header = header;
  }

  rows({ names, values, cells }: RowBlock): void {
    const columns = this.columnNames.length;
    names.forEach((name, r) => {
      this.rowNames.push(name);
      this.values.push([...values.subarray(r * columns, (r + 1) * columns)]);
      this.cells.push(cells[r] ?? []);
    });
  }

  get columnNames(): readonly string[] {
    return this.header?.columnNames ?? [];
  }

  /** [rows, columns] */
  get shape(): [number, number] {
    return [this.rowNames.length, this.columnNames.length];
  }
}

/** Read a file whole; for specs. */
export async function collect(path: string, options: ReadOptions = {}): Promise<Collected> {
  const all = new Collected();
  await readerOf(path)(path, options, all);
  return all;
}

/** Code and message of the refusal of a file; for specs. */
export async function refusalOfFile(path: string, options: ReadOptions = {}): Promise<string> {
  try {
    await collect(path, options);
  } catch (error) {
    if (error instanceof RegulonError) return `${error.code} ${error.message}`;
    throw error;
  }
  return 'no refusal';
}
