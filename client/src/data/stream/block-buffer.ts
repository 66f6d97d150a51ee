import type { Cell } from '@regulon/shared/genomics';
import { type MatrixSink, rowsPerBlock } from './matrix-sink.js';

/** Collects single rows into blocks for a sink. */
export class BlockBuffer {
  private readonly capacity: number;
  private readonly values: Float64Array;
  private names: string[] = [];
  private places: string[] = [];
  private cells: (readonly Cell[])[] = [];

  constructor(
    private readonly sink: MatrixSink,
    readonly columns: number,
  ) {
    this.capacity = rowsPerBlock(columns);
    this.values = new Float64Array(this.capacity * columns);
  }

  /**
   * Room for the numbers of the next row, to be filled before anything else is called.
   *
   * @returns a view of `columns` zeros
   */
  add(name: string, place: string, cells: readonly Cell[] = []): Float64Array {
    if (this.names.length === this.capacity) this.flush();
    const start = this.names.length * this.columns;
    this.names.push(name);
    this.places.push(place);
    this.cells.push(cells);
    return this.values.subarray(start, start + this.columns).fill(0);
  }

  /** Hand over what was collected; to be called at the end. */
  flush(): void {
    const { names, places, cells } = this;
    if (names.length === 0) return;
    const values = this.values.subarray(0, names.length * this.columns);
    this.sink.rows({ names, values, cells, place: (row) => places[row] ?? `row ${row + 1}` });
    this.names = [];
    this.places = [];
    this.cells = [];
  }
}
