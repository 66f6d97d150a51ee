import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { cellFault } from '../cell-fault.js';
import { cellsOf } from '../cells.js';
import { numberOf } from '../number-cell.js';
import { BlockBuffer, type MatrixSink, type ReadOptions } from '../stream/index.js';
import { faultAt } from '../table-reader.js';
import { textLines } from '../text-lines.js';

const MAX_FEATURES = 5_000_000;

/**
 * GEO SOFT with one or several samples, each with its own table: a sample is a unit, its `VALUE` column the numbers.
 *
 * @throws E_DATA_FORMAT naming file, line and rule; also when two samples measure different features
 */
export async function readSoftSamples(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const reader = new SoftReader(basename(path), options.column ?? 'VALUE', sink);
  for await (const { first, lines } of textLines(path, { latin1: true, progress: options.progress })) {
    lines.forEach((line, i) => reader.line(line, first + i));
  }
  reader.end();
}

class SoftReader {
  private kind = '';
  private accession = '';
  private title = '';
  private source = '';
  private inTable = false;
  private head: readonly string[] | undefined;
  private ids: string[] = [];
  private values: number[] = [];
  private features: readonly string[] | undefined;
  private position: Map<string, number> = new Map();
  private buffer: BlockBuffer | undefined;
  private samples = 0;

  constructor(
    private readonly file: string,
    private readonly column: string,
    private readonly sink: MatrixSink,
  ) {}

  line(text: string, number: number): void {
    if (text.startsWith('^')) return this.entity(text);
    if (/^!\w+_table_begin/i.test(text)) {
      this.inTable = true;
      this.head = undefined;
    } else if (/^!\w+_table_end/i.test(text)) {
      this.inTable = false;
      if (this.kind === 'SAMPLE') this.sample(number);
    } else if (this.inTable && this.kind === 'SAMPLE' && text !== '') this.row(text, number);
    else if (text.startsWith('!')) this.attribute(text);
  }

  end(): void {
    if (this.inTable) throw new RegulonError('E_DATA_FORMAT', `${this.file}: the file ends inside a table`);
    if (this.samples === 0)
      throw new RegulonError('E_DATA_FORMAT', `${this.file}: holds no sample with a table`);
    this.buffer?.flush();
  }

  private entity(text: string): void {
    const [, kind = '', name = ''] = /^\^(\w+)\s*=\s*(.*)$/.exec(text) ?? [];
    this.kind = kind.toUpperCase();
    this.accession = name;
    this.title = '';
    this.source = '';
  }

  private attribute(text: string): void {
    const [key, value = ''] = text.split(/\s*=\s*(.*)/s);
    if (key === '!Sample_geo_accession') this.accession = value;
    else if (key === '!Sample_title') this.title = value;
    else if (key === '!Sample_source_name_ch1') this.source = value;
  }

  private row(text: string, number: number): void {
    const cells = cellsOf(text, '\t') ?? [];
    if (!this.head) {
      this.head = cells;
      if (!cells.includes(this.column))
        throw faultAt(this.file, number, `the table has no column ${this.column}`);
      return;
    }
    if (this.ids.length >= MAX_FEATURES)
      throw faultAt(this.file, number, `more than ${MAX_FEATURES} features`);
    const at = this.head.indexOf(this.column);
    const value = numberOf(cells[at] ?? '', false);
    if (typeof value !== 'number' && value !== 'missing') throw cellFault(this.file, number, at + 1, value);
    this.ids.push(cells[0] ?? '');
    this.values.push(typeof value === 'number' ? value : NaN);
  }

  private sample(number: number): void {
    const { ids, values } = this;
    this.ids = [];
    this.values = [];
    if (!this.features) this.begin(ids);
    if (ids.length !== this.features?.length) {
      throw faultAt(
        this.file,
        number,
        `${ids.length} features, the first sample has ${this.features?.length}`,
      );
    }
    const row = this.buffer?.add(this.accession, `line ${number}`, [this.title || null, this.source || null]);
    row?.fill(NaN);
    ids.forEach((id, i) => {
      const at = this.position.get(id);
      if (at === undefined)
        throw faultAt(this.file, number, 'the sample has features that the first one lacks');
      if (row) row[at] = values[i] ?? NaN;
    });
    this.samples++;
  }

  private begin(ids: readonly string[]): void {
    this.features = ids;
    this.position = new Map(ids.map((id, i) => [id, i]));
    this.buffer = new BlockBuffer(this.sink, ids.length);
    this.sink.begin({
      ...{ format: `GEO SOFT (${this.column})`, file: this.file, rows: 'units', columnNames: ids },
      ...{ columnPlace: (column) => `feature ${column + 1}`, columnTable: new Map(), notes: [] },
      rowColumns: ['title', 'source'],
    });
  }
}
