import { basename } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import { ByteCursor, readBinary } from './bytes-reader.js';

/** Intensities of an Affymetrix array, row by row of its grid. */
export interface Cel {
  readonly version: 'text, version 3' | 'binary, version 4' | 'Calvin';
  readonly columns: number;
  readonly rows: number;
  readonly intensities: Float64Array;
}

const MAX_CELLS = 2 ** 25;

/**
 * Read a CEL file: text (version 3), binary (version 4) or Calvin.
 *
 * @throws E_DATA_FORMAT naming the place and the rule
 * @see Affymetrix Fusion SDK, file formats `CEL` and `Command Console generic data`
 */
export function readCel(path: string): Cel {
  const file = basename(path);
  const bytes = readBinary(path);
  if (bytes[0] === 0x3b) return readCalvin(bytes, file);
  if (bytes.length >= 8 && bytes.readInt32LE(0) === 64 && bytes.readInt32LE(4) === 4)
    return readVersion4(bytes, file);
  if (bytes.subarray(0, 5).toString('latin1') === '[CEL]')
    return readVersion3(bytes.toString('latin1'), file);
  throw new RegulonError('E_DATA_FORMAT', `${file}: no CEL file of version 3, 4 or Calvin`);
}

function readVersion4(bytes: Buffer, file: string): Cel {
  const cursor = new ByteCursor(bytes, file, true, 8);
  const [columns, rows, cells] = [cursor.i32(), cursor.i32(), cursor.i32()];
  verifyGrid(cursor, columns, rows, cells);
  for (let text = 0; text < 3; text++) cursor.blob();
  cursor.skip(16);
  const intensities = new Float64Array(cells);
  for (let i = 0; i < cells; i++) {
    intensities[i] = cursor.f32();
    cursor.skip(6);
  }
  return { version: 'binary, version 4', columns, rows, intensities };
}

function readVersion3(text: string, file: string): Cel {
  const fault = (line: number, rule: string): RegulonError =>
    new RegulonError('E_DATA_FORMAT', `${file}: line ${line}: ${rule}`);
  const lines = text.split(/\r?\n/);
  const numberAfter = (key: string): number =>
    Number(lines.find((line) => line.startsWith(key))?.slice(key.length));
  const [columns, rows] = [numberAfter('Cols='), numberAfter('Rows=')];
  if (!isGrid(columns, rows)) throw fault(1, 'no size of the grid');
  const begin = lines.findIndex((line) => line.startsWith('CellHeader='));
  if (lines.indexOf('[INTENSITY]') < 0 || begin < 0) throw fault(1, 'no section of intensities');
  const intensities = new Float64Array(columns * rows).fill(NaN);
  for (let i = begin + 1; i < lines.length && !(lines[i] ?? '').startsWith('['); i++) {
    const line = lines[i] ?? '';
    if (line.trim() === '') continue;
    const [x = NaN, y = NaN, mean = NaN] = line.trim().split(/\s+/).map(Number);
    const inside = Number.isInteger(x) && Number.isInteger(y) && x >= 0 && x < columns && y >= 0 && y < rows;
    if (!inside || !Number.isFinite(mean)) throw fault(i + 1, 'not column, row and intensity');
    intensities[y * columns + x] = mean;
  }
  if (intensities.some(Number.isNaN)) throw fault(begin + 1, `fewer cells than ${columns} × ${rows}`);
  return { version: 'text, version 3', columns, rows, intensities };
}

function readCalvin(bytes: Buffer, file: string): Cel {
  const cursor = new ByteCursor(bytes, file, false, 1);
  if (cursor.u8() !== 1) throw cursor.fault('a Calvin file of another version than 1');
  cursor.i32();
  const group = cursor.u32();
  const { columns, rows } = calvinGrid(cursor);
  cursor.at = group;
  cursor.u32();
  cursor.at = cursor.u32();
  const first = cursor.u32();
  cursor.u32();
  if (cursor.wideText() !== 'Intensity') throw cursor.fault('the first data set holds no intensities');
  skipParameters(cursor);
  const count = cursor.u32();
  const name = cursor.wideText();
  const [type, size] = [cursor.u8(), cursor.i32()];
  if (count !== 1 || name !== 'Intensity' || type !== 6 || size !== 4)
    throw cursor.fault('intensities of another type');
  const cells = cursor.u32();
  verifyGrid(cursor, columns, rows, cells);
  cursor.at = first;
  const intensities = Float64Array.from({ length: cells }, () => cursor.f32());
  return { version: 'Calvin', columns, rows, intensities };
}

/** The grid stands among the parameters of the file's header. */
function calvinGrid(cursor: ByteCursor): { columns: number; rows: number } {
  cursor.blob();
  cursor.blob();
  cursor.wideText();
  cursor.wideText();
  let [columns, rows] = [0, 0];
  const parameters = cursor.i32();
  for (let i = 0; i < parameters; i++) {
    const name = cursor.wideText();
    const value = cursor.blob();
    cursor.wideText();
    if (value.length < 4) continue;
    if (name === 'affymetrix-cel-cols') columns = value.readInt32BE(0);
    if (name === 'affymetrix-cel-rows') rows = value.readInt32BE(0);
  }
  return { columns, rows };
}

function skipParameters(cursor: ByteCursor): void {
  const parameters = cursor.i32();
  for (let i = 0; i < parameters; i++) {
    cursor.wideText();
    cursor.blob();
    cursor.wideText();
  }
}

const isGrid = (columns: number, rows: number): boolean =>
  Number.isInteger(columns) &&
  Number.isInteger(rows) &&
  columns > 0 &&
  rows > 0 &&
  columns * rows <= MAX_CELLS;

function verifyGrid(cursor: ByteCursor, columns: number, rows: number, cells: number): void {
  if (!isGrid(columns, rows) || columns * rows !== cells)
    throw cursor.fault('the grid is not that of its cells');
}
