import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import type { Cell } from '@regulon/shared/genomics';
import { BlockBuffer, type MatrixSink, type ReadOptions, rowsPerBlock } from '../stream/index.js';

/** Bytes of one stored page, and of the description of the whole file. */
const MAX_PAGE_BYTES = 2 ** 28;
const MAX_METADATA_BYTES = 2 ** 26;
const NUMBERS = ['INT32', 'INT64', 'FLOAT', 'DOUBLE', 'BOOLEAN'];

/**
 * Parquet: columns of numbers are the matrix; the rows are named by the index that pandas stored, by `--id`, or by the
 * first column of texts. Read some rows at a time.
 *
 * @throws E_DATA_FORMAT naming file, row, column and rule
 */
export async function readParquet(path: string, options: ReadOptions, sink: MatrixSink): Promise<void> {
  const file = basename(path);
  const handle = openSync(path, 'r');
  try {
    await readOpen({ file, buffer: bufferOf(handle, statSync(path).size) }, options, sink);
  } catch (error) {
    if (isRegulonError(error)) throw error;
    throw new RegulonError(
      'E_DATA_FORMAT',
      `${file}: the Parquet data are damaged, or of a kind that is not read`,
    );
  } finally {
    closeSync(handle);
  }
}

interface OpenParquet {
  readonly file: string;
  readonly buffer: AsyncBuffer;
}

async function readOpen(
  { file, buffer }: OpenParquet,
  options: ReadOptions,
  sink: MatrixSink,
): Promise<void> {
  const metadata = await parquetMetadataAsync(buffer);
  const { id, texts, numbers } = columnsOf(metadata, options, file);
  sink.begin({
    ...{
      format: 'Parquet',
      file,
      rows: null,
      columnNames: numbers,
      columnTable: new Map(),
      rowColumns: texts,
      notes: [],
    },
    columnPlace: (column) => `column ${numbers[column] ?? ''}`,
  });
  const block = new BlockBuffer(sink, numbers.length);
  const count = Number(metadata.num_rows);
  const step = rowsPerBlock(numbers.length);
  for (let first = 0; first < count; first += step) {
    const rows = await parquetReadObjects({
      ...{ file: buffer, metadata, compressors: bounded, columns: [id, ...texts, ...numbers] },
      ...{ rowStart: first, rowEnd: Math.min(count, first + step) },
    });
    rows.forEach((row, r) => addRow(row, { id, texts, numbers }, block, `${file}: row ${first + r + 1}`));
    options.progress?.(Math.min(1, (first + step) / count));
  }
  block.flush();
}

interface Columns {
  readonly id: string;
  readonly texts: readonly string[];
  readonly numbers: readonly string[];
}

function addRow(
  row: Record<string, unknown>,
  { id, texts, numbers }: Columns,
  block: BlockBuffer,
  place: string,
): void {
  const name = textOf(row[id]);
  if (name === null) throw new RegulonError('E_DATA_FORMAT', `${place}: the row has no name`);
  const values = block.add(
    name,
    place.slice(place.indexOf(': ') + 2),
    texts.map((column) => textOf(row[column])),
  );
  numbers.forEach((column, c) => {
    const cell = row[column];
    if (cell === null || cell === undefined) values[c] = NaN;
    else if (typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean')
      values[c] = Number(cell);
    else throw new RegulonError('E_DATA_FORMAT', `${place}, column ${column}: not a number`);
    if (values[c] === Infinity || values[c] === -Infinity)
      throw new RegulonError('E_DATA_NOT_FINITE', `${place}, column ${column}: infinite`);
  });
}

function columnsOf(metadata: FileMetaData, options: ReadOptions, file: string): Columns {
  const { ignoreColumns = [], textColumns = [], idColumn } = options;
  const leaves = metadata.schema.slice(1);
  if (leaves.some((leaf) => (leaf.num_children ?? 0) > 0 || leaf.repetition_type === 'REPEATED')) {
    throw new RegulonError('E_DATA_FORMAT', `${file}: a table of nested columns`);
  }
  const all = leaves.filter(({ name }) => !ignoreColumns.includes(name));
  const isNumber = (type: string | undefined): boolean => NUMBERS.includes(type ?? '');
  const id = idColumn ?? pandasIndex(metadata) ?? all.find(({ type }) => !isNumber(type))?.name;
  if (id === undefined || !leaves.some(({ name }) => name === id)) {
    throw new RegulonError('E_DATA_FORMAT', `${file}: no column that names the rows`, {
      hint: 'name it with --id',
    });
  }
  const others = all.filter(({ name }) => name !== id);
  const isText = ({ name, type }: (typeof others)[number]): boolean =>
    !isNumber(type) || textColumns.includes(name);
  const numbers = others.filter((column) => !isText(column)).map(({ name }) => name);
  if (numbers.length === 0) throw new RegulonError('E_DATA_FORMAT', `${file}: no column of numbers`);
  return { id, texts: others.filter(isText).map(({ name }) => name), numbers };
}

function pandasIndex({ key_value_metadata: pairs }: FileMetaData): string | undefined {
  const text = pairs?.find(({ key }) => key === 'pandas')?.value;
  if (text === undefined) return undefined;
  const { index_columns: [index] = [] } = JSON.parse(text) as { index_columns?: unknown[] };
  return typeof index === 'string' ? index : undefined;
}

function textOf(cell: unknown): Cell & (string | null) {
  if (typeof cell === 'string') return cell === '' ? null : cell;
  return typeof cell === 'number' || typeof cell === 'bigint' || typeof cell === 'boolean'
    ? String(cell)
    : null;
}

/** The compressors, none of which may unpack more than a page. */
const bounded = Object.fromEntries(
  Object.entries(compressors).map(([name, unpack]) => [
    name,
    (input: Uint8Array, length: number): Uint8Array => {
      if (length > MAX_PAGE_BYTES)
        throw new RegulonError('E_DATA_FORMAT', `a page of more than ${MAX_PAGE_BYTES} bytes`);
      return unpack(input, length);
    },
  ]),
);

function bufferOf(handle: number, byteLength: number): AsyncBuffer {
  return {
    byteLength,
    async slice(start: number, end = byteLength): Promise<ArrayBuffer> {
      const length = Math.max(0, Math.min(end, byteLength) - Math.max(0, start));
      if (length > Math.max(MAX_METADATA_BYTES, MAX_PAGE_BYTES)) {
        throw new RegulonError('E_DATA_FORMAT', `a piece of more than ${MAX_PAGE_BYTES} bytes`);
      }
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length;) {
        const read = readSync(handle, bytes, at, length - at, start + at);
        if (read === 0) throw new Error('the file ends early');
        at += read;
      }
      return bytes.buffer;
    },
  };
}
