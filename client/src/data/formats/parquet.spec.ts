import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';

type Written = Parameters<typeof parquetWriteBuffer>[0];
const file = (name: string, options: Written): string =>
  fileOf(Buffer.from(parquetWriteBuffer(options)), name);

const GENES = { name: 'gene', data: ['ESR1', 'FOXA1', 'XBP1'], type: 'STRING' as const };
const P1 = { name: 'P1', data: [1.5, 0, -3], type: 'DOUBLE' as const };
const P2 = { name: 'P2', data: [4, null, 6], type: 'INT32' as const, nullable: true };

describe('Parquet', () => {
  it.each(['UNCOMPRESSED', 'SNAPPY'] as const)('%s: numbers, a column of names, gaps', async (codec) => {
    const kind = { name: 'kind', data: ['a', 'b', 'a'], type: 'STRING' as const };
    const path = file(`${codec}.parquet`, { columnData: [GENES, P1, kind, P2], codec });
    const all = await collect(path);
    expect([all.rowNames, all.columnNames, all.header?.rowColumns]).toEqual([
      GENES.data,
      ['P1', 'P2'],
      ['kind'],
    ]);
    expect([all.values, all.cells]).toEqual([
      [
        [1.5, 4],
        [0, NaN],
        [-3, 6],
      ],
      [['a'], ['b'], ['a']],
    ]);
    expect(await collect(path, { idColumn: 'P2', ignoreColumns: ['kind'] }).catch(String)).toContain(
      'row 2: the row has no name',
    );
  });

  it('takes the index of pandas for the names, and goes through several row groups', async () => {
    const n = 3000;
    const names = Array.from({ length: n }, (_, i) => `cell${i}`);
    const path = file('pandas.parquet', {
      columnData: [
        { name: 'word', data: names.map(() => 'x'), type: 'STRING' },
        { name: 'ENSG1', data: Float64Array.from(names, (_, i) => i), type: 'DOUBLE' },
        { name: '__index_level_0__', data: names, type: 'STRING' },
      ],
      rowGroupSize: 700,
      kvMetadata: [{ key: 'pandas', value: JSON.stringify({ index_columns: ['__index_level_0__'] }) }],
    });
    const all = await collect(path);
    expect([all.rowNames[2999], all.columnNames, all.shape]).toEqual(['cell2999', ['ENSG1'], [n, 1]]);
    expect(all.values.every(([x], i) => x === i)).toBe(true);
  });

  it.each([
    [
      'an infinite value',
      { ...P1, data: [1, Infinity, 0] },
      /E_DATA_NOT_FINITE .*row 2, column P1: infinite/,
    ],
    ['no numbers', { name: 'P1', data: ['a', 'b', 'c'], type: 'STRING' as const }, /no column of numbers/],
  ])('with %s is refused', async (name, column, message) => {
    expect(await refusalOfFile(file(`${name}.parquet`, { columnData: [GENES, column] }))).toMatch(message);
  });

  it('that is damaged ends in a named error', async () => {
    const whole = Buffer.from(parquetWriteBuffer({ columnData: [GENES, P1, P2], codec: 'SNAPPY' }));
    for (let at = 4; at < whole.length - 8; at += 29) {
      const bytes = Buffer.from(whole).fill(0xff, at, at + 4);
      expect(await refusalOfFile(fileOf(bytes, 'bad.parquet'))).toMatch(/^(E_DATA_\w+ |no refusal$)/);
    }
    expect(await refusalOfFile(fileOf(whole.subarray(0, 90), 'cut.parquet'))).toMatch(
      /cut\.parquet: the Parquet data/,
    );
    const length = Buffer.from(whole);
    length.writeUInt32LE(0xfffffff0, whole.length - 8);
    expect(await refusalOfFile(fileOf(length, 'length.parquet'))).toMatch(/^E_DATA_FORMAT length/);
  });
});
