import type { Cell } from '@regulon/shared/genomics';
import type { MatrixHeader, MatrixSink, RowBlock } from '../stream/index.js';
import { NumberSample } from './sample.js';

/** Lines or columns of a matrix: sums of what is there. */
export interface AxisProfile {
  readonly names: readonly string[];
  readonly sums: Float64Array;
  /** values that are not zero */
  readonly detected: Float64Array;
  readonly missing: Float64Array;
  /** sums of squares */
  readonly squares: Float64Array;
  /** sums weighted by place: two lines that agree here and in their sums are the same */
  readonly weighted: Float64Array;
  /** names that stand more than once, with their places */
  readonly duplicates: readonly { readonly name: string; readonly places: readonly string[] }[];
  /** annotations, aligned with the names */
  readonly table: ReadonlyMap<string, readonly Cell[]>;
}

/** What one pass over a matrix shows, in the orientation of the file. */
export interface MatrixProfile {
  readonly header: MatrixHeader;
  readonly rows: AxisProfile;
  readonly columns: AxisProfile;
  readonly cells: number;
  readonly missing: number;
  readonly zeros: number;
  /** values equal to the smallest one that is not zero */
  readonly atFloor: number;
  readonly negative: number;
  readonly fractional: number;
  readonly min: number;
  readonly max: number;
  /** some of the values that are neither missing nor zero, sorted */
  readonly sample: Float64Array;
  /** the first rows and columns in full, to look closer at */
  readonly firstRows: readonly Float64Array[];
  readonly firstColumns: readonly (readonly number[])[];
}

const SAMPLE = 20_000;
const CLOSER = 3;

/** Collects a profile while a matrix passes by; memory grows with rows + columns. */
export class Profiler implements MatrixSink {
  private head: MatrixHeader | undefined;
  private readonly names: string[] = [];
  private readonly sums: number[] = [];
  private readonly detected: number[] = [];
  private readonly absent: number[] = [];
  private columnSums = new Float64Array(0);
  private columnDetected = new Float64Array(0);
  private columnMissing = new Float64Array(0);
  private columnSquares = new Float64Array(0);
  private columnWeighted = new Float64Array(0);
  private readonly squares: number[] = [];
  private readonly weighted: number[] = [];
  private rowTable: Cell[][] = [];
  private readonly rowPlaces = new Places();
  private readonly sample = new NumberSample(SAMPLE);
  private readonly firstRows: Float64Array[] = [];
  private readonly firstColumns: number[][] = [];
  private count = { missing: 0, zeros: 0, negative: 0, fractional: 0 };
  private range = { min: Infinity, max: -Infinity };
  private floor = { value: Infinity, count: 0 };

  begin(header: MatrixHeader): void {
    this.head = header;
    const n = header.columnNames.length;
    this.columnSums = new Float64Array(n);
    this.columnDetected = new Float64Array(n);
    this.columnMissing = new Float64Array(n);
    this.columnSquares = new Float64Array(n);
    this.columnWeighted = new Float64Array(n);
    this.rowTable = header.rowColumns.map(() => []);
    for (let c = 0; c < Math.min(CLOSER, n); c++) this.firstColumns.push([]);
  }

  rows({ names, place, values, cells }: RowBlock): void {
    const columns = this.columnSums.length;
    names.forEach((name, r) => {
      this.rowPlaces.add(name, () => place(r));
      this.names.push(name);
      const row = values.subarray(r * columns, (r + 1) * columns);
      this.row(row);
      if (this.firstRows.length < CLOSER) this.firstRows.push(row.slice());
      this.firstColumns.forEach((column, c) => column.push(row[c] ?? NaN));
      this.rowTable.forEach((column, i) => column.push(cells[r]?.[i] ?? null));
    });
  }

  private row(row: Float64Array): void {
    const { columnSums, columnDetected, columnMissing, columnSquares, columnWeighted } = this;
    const { count, range, floor } = this;
    let [sum, detected, missing, squares, weighted] = [0, 0, 0, 0, 0];
    const place = this.names.length;
    for (let c = 0; c < row.length; c++) {
      const x = row[c] ?? NaN;
      if (x === 0) continue;
      if (Number.isNaN(x)) {
        missing++;
        columnMissing[c] = (columnMissing[c] ?? 0) + 1;
        continue;
      }
      sum += x;
      detected++;
      squares += x * x;
      weighted += x * (c + 1);
      columnSquares[c] = (columnSquares[c] ?? 0) + x * x;
      columnWeighted[c] = (columnWeighted[c] ?? 0) + x * place;
      columnSums[c] = (columnSums[c] ?? 0) + x;
      columnDetected[c] = (columnDetected[c] ?? 0) + 1;
      if (x < 0) count.negative++;
      if (!Number.isInteger(x)) count.fractional++;
      if (x < floor.value) Object.assign(floor, { value: x, count: 1 });
      else if (x === floor.value) floor.count++;
      if (x < range.min) range.min = x;
      if (x > range.max) range.max = x;
      this.sample.add(x);
    }
    if (detected + missing < row.length) {
      range.min = Math.min(range.min, 0);
      range.max = Math.max(range.max, 0);
    }
    count.missing += missing;
    count.zeros += row.length - detected - missing;
    this.sums.push(sum);
    this.detected.push(detected);
    this.absent.push(missing);
    this.squares.push(squares);
    this.weighted.push(weighted);
  }

  /** @returns null when nothing has begun */
  profile(): MatrixProfile | null {
    const { head, names, count, range, firstRows, firstColumns } = this;
    if (!head) return null;
    const columnPlaces = new Places();
    head.columnNames.forEach((name, c) => columnPlaces.add(name, () => head.columnPlace(c)));
    const table = new Map(head.rowColumns.map((name, i) => [name, this.rowTable[i] ?? []]));
    return {
      header: head,
      rows: {
        ...{ names, sums: Float64Array.from(this.sums), detected: Float64Array.from(this.detected) },
        ...{ squares: Float64Array.from(this.squares), weighted: Float64Array.from(this.weighted) },
        ...{ missing: Float64Array.from(this.absent), duplicates: this.rowPlaces.duplicates(), table },
      },
      columns: {
        ...{ names: head.columnNames, sums: this.columnSums, detected: this.columnDetected },
        ...{ squares: this.columnSquares, weighted: this.columnWeighted },
        ...{ missing: this.columnMissing, duplicates: columnPlaces.duplicates(), table: head.columnTable },
      },
      cells: names.length * head.columnNames.length,
      ...count,
      ...range,
      atFloor: this.floor.count,
      sample: this.sample.sorted(),
      ...{ firstRows, firstColumns },
    };
  }
}

/** Where names stand; places are asked for only when a name comes again. */
class Places {
  private readonly first = new Map<string, string>();
  private readonly again = new Map<string, string[]>();

  add(name: string, place: () => string): void {
    const before = this.first.get(name);
    if (before === undefined) {
      this.first.set(name, place());
      return;
    }
    const places = this.again.get(name) ?? [before];
    places.push(place());
    this.again.set(name, places);
  }

  duplicates(): { name: string; places: readonly string[] }[] {
    return [...this.again].map(([name, places]) => ({ name, places }));
  }
}
