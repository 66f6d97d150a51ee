import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import { BlockBuffer, type MatrixSink, type ReadOptions } from '../stream/index.js';
import { textLines } from '../text-lines.js';
import { faultAt } from '../table-reader.js';
import { notesOf } from './tenx-h5.js';

const MATRIX = ['matrix.mtx.gz', 'matrix.mtx'];
const FEATURES = ['features.tsv.gz', 'features.tsv', 'genes.tsv.gz', 'genes.tsv'];
const BARCODES = ['barcodes.tsv.gz', 'barcodes.tsv'];
const MAX_NAMES = 10_000_000;

/** Whether a folder is what 10x Cell Ranger writes. */
export const isTenxFolder = (folder: string): boolean => oneOf(folder, MATRIX) !== null;

/**
 * Read a Matrix Market file with the names beside it: features × barcodes, indices from 1.
 *
 * The entries must be sorted by barcode or by feature, as every program writes them: so the matrix is never whole in
 * memory.
 *
 * @param path the folder, or the `.mtx` file in it
 * @throws E_DATA_FORMAT naming file, line and rule
 */
export async function readTenxMtx(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const isFile = /\.mtx(\.gz)?$/.test(path);
  const folder = isFile ? dirname(path) : path;
  const matrix = isFile ? path : (oneOf(folder, MATRIX) ?? path);
  const features = await namesIn(folder, FEATURES);
  const barcodes = await namesIn(folder, BARCODES);
  const file = basename(matrix);
  const ids = features.map(([id = '']) => id);
  const table = new Map<string, readonly Cell[]>();
  if (features.every((row) => row.length >= 2))
    table.set(
      'symbol',
      features.map((row) => row[1] ?? ''),
    );
  if (features.every((row) => row.length >= 3))
    table.set(
      'feature type',
      features.map((row) => row[2] ?? ''),
    );
  const reader = new Entries({ file, ids, cells: barcodes.map(([name = '']) => name), table, sink });
  for await (const { first, lines } of textLines(matrix, { progress: options.progress })) {
    lines.forEach((line, i) => reader.line(line, first + i));
  }
  reader.end();
}

interface Target {
  readonly file: string;
  readonly ids: readonly string[];
  readonly cells: readonly string[];
  readonly table: ReadonlyMap<string, readonly Cell[]>;
  readonly sink: MatrixSink;
}

/** Goes through the lines of a Matrix Market file. */
class Entries {
  private buffer: BlockBuffer | undefined;
  private size: readonly number[] | undefined;
  /** position in an entry of what the rows of the stream are: 0 features, 1 barcodes */
  private axis: 0 | 1 | undefined;
  private before: readonly [number, number] | undefined;
  private row: Float64Array = new Float64Array(0);
  private next = 0;
  private seen = 0;
  private lineNumber = 0;

  constructor(private readonly target: Target) {}

  line(text: string, number: number): void {
    this.lineNumber = number;
    if (number === 1) this.verifyBanner(text);
    if (text.startsWith('%') || text.trim() === '') return;
    const numbers = text.trim().split(/\s+/).map(Number);
    if (!this.size) this.begin(numbers);
    else this.entry(numbers);
  }

  end(): void {
    const { file } = this.target;
    const [, , entries] = this.size ?? [];
    if (entries === undefined) throw new RegulonError('E_DATA_FORMAT', `${file}: has no line of sizes`);
    if (this.seen !== entries)
      throw new RegulonError('E_DATA_FORMAT', `${file}: ${this.seen} of ${entries} entries`);
    if (this.seen <= 1) this.decide(1);
    this.fillTo(this.names.length);
    this.buffer?.flush();
  }

  private verifyBanner(text: string): void {
    const words = text.toLowerCase().split(/\s+/);
    const good = words[0] === '%%matrixmarket' && words[2] === 'coordinate' && words[4] === 'general';
    if (!good || !['integer', 'real'].includes(words[3] ?? '')) {
      throw this.fault('no Matrix Market file of single numbers (coordinate, integer or real, general)');
    }
  }

  private begin(numbers: readonly number[]): void {
    const { ids, cells } = this.target;
    this.size = numbers;
    if (numbers.length !== 3 || numbers[0] !== ids.length || numbers[1] !== cells.length) {
      throw this.fault(`not the sizes of ${ids.length} features and ${cells.length} barcodes`);
    }
  }

  private entry(numbers: readonly number[]): void {
    const [feature = NaN, cell = NaN, value = NaN] = numbers;
    const { ids, cells } = this.target;
    const inside = (x: number, n: number): boolean => Number.isInteger(x) && x >= 1 && x <= n;
    if (numbers.length !== 3 || !inside(feature, ids.length) || !inside(cell, cells.length))
      throw this.fault('not feature, barcode and value, counted from 1');
    if (!Number.isFinite(value)) throw this.fault('not a number');
    this.seen++;
    const [beforeFeature, beforeCell] = this.before ?? [feature, cell];
    // the axis that stands still, or moves on while the other goes back, is the outer one
    if (this.before && this.axis === undefined)
      this.decide(cell < beforeCell ? 0 : feature < beforeFeature || cell === beforeCell ? 1 : 0);
    this.held.push([feature, cell, value]);
    this.before = [feature, cell];
    if (this.axis !== undefined) this.drain();
  }

  private readonly held: (readonly [number, number, number])[] = [];

  private drain(): void {
    for (const entry of this.held) {
      const outer = entry[this.axis ?? 1] - 1;
      const inner = entry[this.axis === 0 ? 1 : 0] - 1;
      if (outer < this.next - 1) throw this.fault('the entries are sorted neither by barcode nor by feature');
      this.fillTo(outer + 1);
      this.row[inner] = (this.row[inner] ?? 0) + entry[2];
    }
    this.held.length = 0;
  }

  private get names(): readonly string[] {
    return this.axis === 0 ? this.target.ids : this.target.cells;
  }

  private decide(axis: 0 | 1): void {
    this.axis = axis;
    const { file, ids, cells, table, sink } = this.target;
    const columnNames = axis === 0 ? cells : ids;
    sink.begin({
      ...{ format: '10x MTX', file, rows: axis === 0 ? 'genes' : 'units', columnNames },
      ...{ columnTable: axis === 0 ? new Map() : table, rowColumns: [], notes: notesOf(table) },
      columnPlace: (column) => `${axis === 0 ? 'barcode' : 'feature'} ${column + 1}`,
    });
    this.buffer = new BlockBuffer(sink, columnNames.length);
    this.drain();
  }

  /** Begin rows until `count` are begun; those without an entry are zeros. */
  private fillTo(count: number): void {
    for (; this.next < count; this.next++) {
      const place = `${this.axis === 0 ? 'feature' : 'barcode'} ${this.next + 1}`;
      this.row = this.buffer?.add(this.names[this.next] ?? '', place) ?? this.row;
    }
  }

  private fault(rule: string): RegulonError {
    return faultAt(this.target.file, this.lineNumber, rule);
  }
}

async function namesIn(folder: string, candidates: readonly string[]): Promise<string[][]> {
  const path = oneOf(folder, candidates);
  if (path === null) {
    throw new RegulonError('E_DATA_FORMAT', `${basename(folder)}: has no ${candidates.join(' or ')}`, {
      hint: 'keep matrix, features and barcodes in one folder',
    });
  }
  const rows: string[][] = [];
  for await (const { first, lines } of textLines(path)) {
    for (const [i, line] of lines.entries()) {
      const cells = line.split('\t');
      if (cells[0] === '') throw faultAt(basename(path), first + i, 'no name');
      if (rows.length >= MAX_NAMES) throw faultAt(basename(path), first + i, `more than ${MAX_NAMES} names`);
      rows.push(cells);
    }
  }
  return rows;
}

function oneOf(folder: string, candidates: readonly string[]): string | null {
  return candidates.map((name) => join(folder, name)).find((path) => existsSync(path)) ?? null;
}
