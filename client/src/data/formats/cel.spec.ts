import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';

const VALUES = [10, 20.5, 30, 40, 50, 60];
const COLUMNS = 3;
const ROWS = 2;

const i32 = (...numbers: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * numbers.length);
  numbers.forEach((x, i) => bytes.writeInt32LE(x, 4 * i));
  return bytes;
};
const blob = (text: string): Buffer => Buffer.concat([i32(text.length), Buffer.from(text)]);

function version4(cells = VALUES.length): Buffer {
  const data = VALUES.map((x) => {
    const cell = Buffer.alloc(10);
    cell.writeFloatLE(x, 0);
    return cell;
  });
  const head = [i32(64, 4, COLUMNS, ROWS, cells), blob('Cols=3'), blob('Percentile'), blob('P:75')];
  return Buffer.concat([...head, Buffer.alloc(16), ...data]);
}

function version3(): string {
  const cells = VALUES.map(
    (x, i) => `  ${i % COLUMNS}\t  ${Math.floor(i / COLUMNS)}\t${x}\t1.5\t  16`,
  ).reverse();
  return `[CEL]\r\nVersion=3\r\n\r\n[HEADER]\r\nCols=${COLUMNS}\r\nRows=${ROWS}\r\n\r\n[INTENSITY]\r\nNumberCells=6\r\nCellHeader=X\tY\tMEAN\tSTDV\tNPIXELS\r\n${cells.join('\r\n')}\r\n\r\n[MASKS]\r\nNumberCells=0\r\n`;
}

const be = (...numbers: number[]): Buffer => i32(...numbers).swap32();
const wide = (text: string): Buffer =>
  Buffer.concat([be(text.length), Buffer.from(text, 'utf16le').swap16()]);
const parameter = (name: string, value: number): Buffer =>
  Buffer.concat([wide(name), be(4), be(value), wide('text/x-calvin-integer-32')]);

function calvin(type = 6): Buffer {
  const head = Buffer.concat([
    ...[Buffer.concat([be(27), Buffer.from('affymetrix-calvin-intensity')]), be(0), wide(''), wide('en-US')],
    ...[be(2), parameter('affymetrix-cel-cols', COLUMNS), parameter('affymetrix-cel-rows', ROWS), be(0)],
  ]);
  const group = 10 + head.length;
  const groupHead = 12 + wide('Default Group').length;
  const set = group + groupHead;
  const description = Buffer.concat([
    wide('Intensity'),
    be(0),
    be(1),
    wide('Intensity'),
    Buffer.of(type),
    be(4),
    be(6),
  ]);
  const data = set + 8 + description.length;
  const floats = Buffer.alloc(24);
  VALUES.forEach((x, i) => floats.writeFloatBE(x, 4 * i));
  return Buffer.concat([
    ...[Buffer.of(0x3b, 1), be(1, group), head, be(0, set, 1), wide('Default Group')],
    ...[be(data, 0), description, floats],
  ]);
}

describe('CEL', () => {
  it.each([
    ['text, version 3', Buffer.from(version3())],
    ['binary, version 4', version4()],
    ['Calvin', calvin()],
  ])('%s: one unit of intensities by place on the grid', async (version, bytes) => {
    for (const [i, content] of [bytes, gzipSync(bytes)].entries()) {
      const name = `${version.slice(0, 4)}${i}.CEL${i === 1 ? '.gz' : ''}`;
      const all = await collect(fileOf(content, name));
      expect(all.header).toMatchObject({ format: `CEL (${version})`, rows: 'units' });
      expect([all.rowNames, all.values]).toEqual([[`${version.slice(0, 4)}${i}`], [VALUES]]);
      expect([all.columnNames[0], all.columnNames[1], all.columnNames[5]]).toEqual(['x0y0', 'x1y0', 'x2y1']);
    }
  });

  it.each([
    ['binary, cut off', version4().subarray(0, 70), /byte \d+: the file ends early/],
    ['binary, with another number of cells', version4(7), /the grid is not that of its cells/],
    [
      'binary, with a hostile grid',
      Buffer.concat([i32(64, 4, 2 ** 30, 2 ** 30, 2 ** 30), Buffer.alloc(99)]),
      /the grid/,
    ],
    [
      'binary, with a hostile length',
      Buffer.concat([version4().subarray(0, 20), i32(-5), Buffer.alloc(99)]),
      /a length is wrong/,
    ],
    ['Calvin, cut off', calvin().subarray(0, 200), /byte \d+: the file ends early/],
    ['Calvin, of another type', calvin(4), /intensities of another type/],
    [
      'text, without a cell',
      Buffer.from(version3().replace(/ {2}2\t {2}1\t.*\r\n/, '')),
      /fewer cells than 3 × 2/,
    ],
    [
      'text, with a word',
      Buffer.from(version3().replace('20.5', 'sick')),
      /line \d+: not column, row and intensity/,
    ],
    ['nothing of the kind', Buffer.from('hello'), /no CEL file of version 3, 4 or Calvin/],
  ])('%s is refused', async (_, bytes, message) => {
    const refusal = await refusalOfFile(fileOf(bytes, 'bad.CEL'));
    expect(refusal).toMatch(message);
    expect(refusal).not.toContain('sick');
  });
});
