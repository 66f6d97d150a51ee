import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { fileOf } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';

describe('delimited text', () => {
  it.each([
    ['TSV with a header', 'gene\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n'],
    ['an R header, one name short', 'P1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n'],
    ['quotes, a BOM, CRLF', '\ufeff"","P1","P2"\r\n"ESR1","5","0"\r\n"FOXA1","7","9"\r\n'],
    ['blanks after commas', 'gene, P1, P2\nESR1, 5, 0\nFOXA1, 7, 9\n'],
    ['a trailing empty column', 'gene\tP1\tP2\t\nESR1\t5\t0\t\nFOXA1\t7\t9\t\n'],
    ['columns of blanks', 'gene P1  P2\nESR1 5  0\n FOXA1 7  9\n'],
    ['an empty line before the header', '\ngene\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n\n'],
  ])('%s', async (_, text) => {
    for (const content of [text, gzipSync(text)]) {
      const { rowNames, columnNames, values } = await collect(fileOf(content));
      expect([rowNames, columnNames]).toEqual([
        ['ESR1', 'FOXA1'],
        ['P1', 'P2'],
      ]);
      expect(values).toEqual([
        [5, 0],
        [7, 9],
      ]);
    }
  });

  it('without a header names its columns by their place', async () => {
    const { columnNames, rowNames, cells, values } = await collect(
      fileOf('YAL1 G1 -0.5 1\nYAL2 M 0.25 -2\n', 'phases.txt'),
    );
    expect([rowNames, columnNames]).toEqual([
      ['YAL1', 'YAL2'],
      ['column 3', 'column 4'],
    ]);
    expect(cells).toEqual([['G1'], ['M']]);
    expect(values[1]).toEqual([0.25, -2]);
  });

  it('begins after the lines that it is told to pass over', async () => {
    const { values, columnNames } = await collect(fileOf('layer 1 \nweights\nA\t0.5\t1\nB\t2.5\t0\n'), {
      skipLines: 2,
    });
    expect([values, columnNames]).toEqual([
      [
        [0.5, 1],
        [2.5, 0],
      ],
      ['column 2', 'column 3'],
    ]);
  });

  it('takes columns of words as annotations, and another column as the names', async () => {
    const file = fileOf('id,name,P1,P2\nHMDB1,"2-acid, long",1.5,NA\nHMDB2,b,,null\n');
    const plain = await collect(file);
    expect([plain.header?.rowColumns, plain.cells]).toEqual([['name'], [['2-acid, long'], ['b']]]);
    expect(plain.values).toEqual([
      [1.5, NaN],
      [NaN, NaN],
    ]);
    const named = await collect(file, { idColumn: 'name' });
    expect([named.rowNames, named.cells]).toEqual([
      ['2-acid, long', 'b'],
      [['HMDB1'], ['HMDB2']],
    ]);
    expect(await refusalOfFile(file, { idColumn: 'none' })).toContain('E_ARGUMENT');
  });

  it('leaves out columns of calls that share a name, and says so', async () => {
    const { header, columnNames } = await collect(fileOf('probe\t1\tcall\t2\tcall\nx_at\t-3\tA\t4\tP\n'));
    expect(columnNames).toEqual(['1', '2']);
    expect(header?.notes).toEqual(['2 columns of text named call are left out']);
  });

  it('keeps a quote inside a cell between tabs, refuses it between commas', async () => {
    expect((await collect(fileOf('g\tP1\n2A (B" unit)\t1\n'))).rowNames).toEqual(['2A (B" unit)']);
    expect(await refusalOfFile(fileOf('g,P1\n2A (B" unit),1\n'))).toContain('line 2: a quote');
  });

  it('reads decimal commas and further missing marks when it is told to', async () => {
    const comma = fileOf('g;P1;P2\nA;1,5;2\nB;0,25;3\n');
    expect((await collect(comma, { decimalComma: true })).values).toEqual([
      [1.5, 2],
      [0.25, 3],
    ]);
    expect(await refusalOfFile(comma)).toMatch(/line 2, column 2: decimal comma/);
    const marks = fileOf('g\tP1\nA\t#ERR\nB\t-9\n');
    expect(await refusalOfFile(marks)).toMatch(/line 2, column 2: an error value of a spreadsheet/);
    expect((await collect(marks, { missingMarks: ['#ERR', '-9'] })).values).toEqual([[NaN], [NaN]]);
  });

  it.each([
    ['Inf', 'g\tP1\nA\t1\nB\tInf\n', /E_DATA_NOT_FINITE .*line 3, column 2: NaN or infinite/],
    ['a word among numbers', `g\tP1\n${'A\t1\n'.repeat(70)}B\tpatient\n`, /line 72, column 2: not a number/],
    ['only words', 'g\tP1\nA\tx\n', /no column of numbers/],
    ['a short row', 'g\tP1\tP2\nA\t1\t2\nB\t1\n', /line 3: 2 cells instead of 3/],
    ['Latin-1', Buffer.from([0x67, 9, 0x50, 10, 0xe9, 9, 0x31, 10]), /not UTF-8/],
    ['gzip cut off', gzipSync(`g\tP1\n${'A\t1\n'.repeat(999)}`).subarray(0, 40), /gzip stream is damaged/],
    ['a gzip bomb', gzipSync(Buffer.alloc(80 * 2 ** 20, 'g\t')), /times its size|longer than 64 MiB/],
    ['an old Excel file', Buffer.from('d0cf11e0a1b11ae1', 'hex'), /this is an Excel \.xls file/],
  ])('refuses %s by place and rule, never by value', async (_, content, message) => {
    const refusal = await refusalOfFile(fileOf(content));
    expect(refusal).toMatch(message);
    expect(refusal).not.toContain('patient');
  });
});
