import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { panelDigest } from '@regulon/shared/genomics';
import { loadDataset } from './dataset.js';
import type { DatasetSource } from './local-dataset.js';
import { counts, fileOf, folder, PLAIN, refusalOf } from './source-files.support.js';

describe('a count matrix', () => {
  const expectPlain = async (source: DatasetSource): Promise<void> => {
    const dataset = await loadDataset(source);
    expect(dataset.unitIds).toEqual(['P1', 'P2']);
    expect(dataset.genes).toEqual(['ESR1', 'FOXA1']);
    expect([...dataset.values]).toEqual([5, 7, 0, 9]);
    expect(dataset.panelDigest).toEqual(panelDigest(['ESR1', 'FOXA1']));
  };

  it.each([
    ['plain TSV', PLAIN],
    ['a named first column', PLAIN.replace('\tP1', 'gene\tP1')],
    ['an R header, one name short', PLAIN.slice(1)],
    ['a byte-order mark and CRLF', `\uFEFF${PLAIN.replaceAll('\n', '\r\n')}`],
    ['no last line end and blank lines', `${PLAIN.trimEnd().replace('\n', '\n\n')}`],
    ['quoted CSV', '"","P1","P2"\n"ESR1","5","0"\n"FOXA1",7, 9\n'],
    ['semicolons', PLAIN.replaceAll('\t', ';')],
    ['a trailing empty column in header and rows', '\tP1\tP2\t\nESR1\t5\t0\t\nFOXA1\t7\t9\t\n'],
    ['a trailing empty column in rows only', 'gene\tP1\tP2\nESR1\t5\t0\t\nFOXA1\t7\t9\t\n'],
    ['exponents and whole decimals', PLAIN.replace('5', '5.0').replace('7', '0.7e1')],
  ])('is read from %s', async (_, content) => expectPlain(counts(content)));

  it('is read from gzip, whatever the name of the file', async () => expectPlain(counts(gzipSync(PLAIN))));

  it('is read transposed when declared, or when the label table says so', async () => {
    const transposed = '\tESR1\tFOXA1\nP1\t5\t7\nP2\t0\t9\n';
    await expectPlain(counts(transposed, { orientation: 'units-by-genes' }));
    await expectPlain(counts(transposed, { labels: fileOf('id,class\nP1,a\nP2,b\n') }));
  });

  it('leaves ignored columns out', async () => {
    const content = 'gene\tname\tP1\tP2\nESR1\tx\t5\t0\nFOXA1\ty\t7\t9\n';
    await expectPlain(counts(content, { ignoreColumns: ['name'] }));
  });

  it('keeps two lines apart that fall into different chunks of the stream', async () => {
    const rows = Array.from({ length: 9000 }, (_, g) => `GENE${g}\t${g}\t${'é'.length}\t${g * 7}`);
    const dataset = await loadDataset(counts(`\tP1\tP2\tPé\n${rows.join('\n')}\n`));
    expect(dataset.genes.length).toBe(9000);
    expect(dataset.unitIds[2]).toBe('Pé');
    expect(dataset.values[2 * 9000 + 8999]).toBe(8999 * 7);
  });

  it.each([
    ['a decimal comma', PLAIN.replace('7', '7,5'), 'E_DATA_FORMAT FILE: line 3, column 2: decimal comma'],
    [
      'a thousands separator',
      PLAIN.replace('7', '1,234'),
      'E_DATA_FORMAT FILE: line 3, column 2: decimal comma',
    ],
    ['NA', PLAIN.replace('9', 'NA'), 'E_DATA_FORMAT FILE: line 3, column 3: missing value'],
    ['an empty cell', PLAIN.replace('5', ''), 'E_DATA_FORMAT FILE: line 2, column 2: missing value'],
    ['NaN', PLAIN.replace('9', 'NaN'), 'E_DATA_NOT_FINITE FILE: line 3, column 3: NaN or infinite'],
    ['Inf', PLAIN.replace('9', '-Inf'), 'E_DATA_NOT_FINITE FILE: line 3, column 3'],
    ['an overflowing number', PLAIN.replace('9', '1e999'), 'E_DATA_NOT_FINITE FILE: line 3, column 3'],
    ['a negative count', PLAIN.replace('9', '-9'), 'E_DATA_SCALE FILE: line 3, column 3: negative'],
    ['a fractional count', PLAIN.replace('9', '0.5'), 'E_DATA_SCALE FILE: line 3, column 3: fractional'],
    [
      'a count beyond 2^53',
      PLAIN.replace('9', '9e15').replace('5', '9.1e15'),
      'E_DATA_SCALE FILE: line 2, column 2',
    ],
    ['hexadecimal', PLAIN.replace('9', '0x9'), 'E_DATA_FORMAT FILE: line 3, column 3: not a number'],
    ['text', PLAIN.replace('9', 'high'), 'E_DATA_FORMAT FILE: line 3, column 3: not a number'],
    [
      'a gene twice',
      `${PLAIN}ESR1\t1\t1\n`,
      'E_DATA_DUPLICATE FILE: line 4, column 1: the same name as line 2',
    ],
    [
      'a unit twice',
      PLAIN.replace('P2', 'P1'),
      'E_DATA_DUPLICATE FILE: line 1, column 3: the same name as column 2',
    ],
    [
      'a gene without a name',
      PLAIN.replace('ESR1', ''),
      'E_DATA_FORMAT FILE: line 2, column 1: the row has no name',
    ],
    [
      'a unit without a name',
      PLAIN.replace('P1', ''),
      'E_DATA_FORMAT FILE: line 1, column 2: the column has no name',
    ],
    ['a short row', `${PLAIN}GATA3\t1\n`, 'E_DATA_FORMAT FILE: line 4: 2 cells instead of 3'],
    ['a long row', `${PLAIN}GATA3\t1\t2\t3\n`, 'E_DATA_FORMAT FILE: line 4: 4 cells instead of 3'],
    [
      'a header of another width',
      'a\tb\tc\td\te\nESR1\t1\t2\n',
      'E_DATA_FORMAT FILE: line 2: 3 cells under a header of 5',
    ],
    ['an open quote', PLAIN.replace('ESR1', '"ESR1'), 'E_DATA_FORMAT FILE: line 2: a quote is not closed'],
    [
      'SEPT2 as a date',
      PLAIN.replace('ESR1', '2-Sep'),
      'E_DATA_FORMAT FILE: line 2: the gene name was turned into a date',
    ],
    [
      'MARCH1 as a date',
      PLAIN.replace('ESR1', 'Mar-01'),
      'E_DATA_FORMAT FILE: line 2: the gene name was turned into a date',
    ],
    ['STAR summary rows', PLAIN.replace('ESR1', 'N_unmapped'), 'E_DATA_FORMAT FILE: line 2: a summary row'],
    [
      'a unit without counts',
      PLAIN.replace('5', '0').replace('7', '0'),
      'E_DATA_SCALE FILE: column 2: the unit has no counts',
    ],
    ['an empty file', '', 'E_DATA_FORMAT FILE: is empty'],
    ['a header alone', '\tP1\n', 'E_DATA_FORMAT FILE: has a header but no rows'],
  ])('is refused for %s', async (_, content, expected) => {
    expect(await refusalOf(counts(content))).toContain(expected);
  });

  it('is refused as Excel, HDF5, UTF-16, Latin-1, cut gzip or an absent file, each by name', async () => {
    const refused = async (bytes: Buffer): Promise<string> => refusalOf(counts(bytes));
    expect(await refused(Buffer.from('d0cf11e0a1b11ae1', 'hex'))).toContain('Excel .xls');
    expect(await refused(Buffer.from('504b030414', 'hex'))).toContain('Excel .xlsx');
    expect(await refused(Buffer.from('\x89HDF\r\n', 'latin1'))).toContain('HDF5');
    expect(await refused(Buffer.from(`\uFEFF${PLAIN}`, 'utf16le'))).toContain('UTF-16');
    expect(await refused(Buffer.from(PLAIN.replace('P1', 'Pé'), 'latin1'))).toContain('is not UTF-8');
    expect(await refused(gzipSync(PLAIN).subarray(0, 30))).toContain('gzip stream is damaged or cut off');
    const absent = { ...counts(PLAIN), counts: join(folder, 'absent.tsv') };
    expect(await refusalOf(absent)).toBe('E_DATA_FORMAT absent.tsv: cannot be read (ENOENT)');
  });

  it('never shows a cell, a unit or a path', async () => {
    const labels = fileOf('id\tclass\nSECRET-1\ta\n');
    const messages = [
      await refusalOf(counts('\tSECRET-1\nESR1\tSECRET-2\n')),
      await refusalOf(counts('\tSECRET-1\nESR1\t-77123\n')),
      await refusalOf(counts('\tSECRET-9\nESR1\t5\n', { labels })),
      await refusalOf(counts('\tSECRET-9\tSECRET-9\nESR1\t5\t5\n')),
    ];
    expect(messages.join()).not.toMatch(/SECRET|77123|regulon-data-/);
    expect(messages).not.toContain('no refusal');
  });

  it('is refused as log-ratio when it holds counts', async () => {
    const source = { ...counts(PLAIN.replace('9', '900')), scale: 'log-ratio' } as const;
    expect(await refusalOf(source)).toBe('E_DATA_SCALE FILE: declared log-ratio, but holds counts');
  });
});
