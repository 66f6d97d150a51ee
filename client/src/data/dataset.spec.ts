import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { panelDigest, SERIES_PANEL, seriesBaselines, fillSeries } from '@regulon/shared/genomics';
import { type DatasetSource, loadDataset, viewOf } from './index.js';

const folder = mkdtempSync(join(tmpdir(), 'regulon-data-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const fileOf = (content: string | Buffer, name = `matrix${files++}.tsv`): string => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

const counts = (content: string | Buffer, more: Partial<DatasetSource> = {}): DatasetSource => ({
  counts: fileOf(content),
  kind: 'expression',
  scale: 'counts',
  ...more,
});

/** Code and message of the refusal, without the file's number. */
async function refusalOf(source: DatasetSource): Promise<string> {
  try {
    await loadDataset(source);
  } catch (error) {
    if (error instanceof RegulonError)
      return `${error.code} ${error.message.replace(/matrix\d+\.tsv/g, 'FILE')}`;
    throw error;
  }
  return 'no refusal';
}

const PLAIN = '\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n';

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

describe('a label table', () => {
  const load = async (labels: string) => loadDataset(counts(PLAIN, { labels: fileOf(labels) }));

  it('is joined by id, never by position, and surplus units are noted', async () => {
    const dataset = await load('\tstage\tarm\nP9\t1\tx\nP2\t2\tNA\nP1\t3.5\ty\n');
    expect(dataset.columns.get('stage')).toEqual([3.5, 2]);
    expect(dataset.columns.get('arm')).toEqual(['y', null]);
    expect(dataset.notes).toEqual(['1 units of the label table have no data']);
  });

  it('is refused when it misses units, repeats one, or repeats a column', async () => {
    const refused = async (labels: string): Promise<string> =>
      refusalOf(counts(PLAIN, { labels: fileOf(labels) }));
    expect(await refused('id\tx\nP1\t1\n')).toBe(
      'E_LABEL_MISSING FILE: 1 of 2 units of FILE are missing (column 3)',
    );
    expect(await refused('id\tx\nP1\t1\nP1\t2\nP2\t1\n')).toContain(
      'line 3, column 1: the same unit as line 2',
    );
    expect(await refused('id\tx\tx\nP1\t1\t1\n')).toContain('column 3: two columns are named x');
    expect(await refused('id\tage\nP1\t1,5\nP2\t2\n')).toContain('line 2, column age: decimal comma');
  });

  it('gives classes by the rules of the plan; an unknown class stops', async () => {
    const dataset = await load('\tsubtype\nP1\tLumA\nP2\tHer2\n');
    const classes = [
      { name: 'A', rule: "subtype == 'LumA'" },
      { name: 'B', rule: "subtype == 'LumB'" },
    ];
    expect(() => viewOf(dataset, classes)).toThrow('unit 2 matches no class');
    const view = viewOf(dataset, [
      classes[0] ?? { name: '', rule: '' },
      { name: 'H', rule: "subtype == 'Her2'" },
    ]);
    expect([...(view.labels ?? [])]).toEqual([0, 1]);
  });
});

describe('a series file', () => {
  const FILE =
    'row.names\tcln3-1\talpha0\talpha70\tcdc15_10\tcdc15_30\nYAL1\tNA\t0.1\tNA\t-0.2\t1\nYAL2\t1\t\t0.3\t4\tNA\n';

  it('gives one experiment with its times, gaps as NaN', async () => {
    const dataset = await loadDataset({
      counts: fileOf(FILE),
      kind: 'series',
      scale: 'log-ratio',
      columnsPrefix: 'alpha',
    });
    expect(dataset.unitIds).toEqual(['YAL1', 'YAL2']);
    expect([...(dataset.times ?? [])]).toEqual([0, 70]);
    expect([...dataset.values]).toEqual([0.1, NaN, NaN, 0.3]);
    expect(dataset.panelDigest).toEqual(panelDigest(SERIES_PANEL));
  });

  it('is refused without columns of the experiment, or with times that go back', async () => {
    const source = { counts: fileOf(FILE), kind: 'series', scale: 'log-ratio' } as const;
    expect(await refusalOf({ ...source, columnsPrefix: 'elu' })).toContain('no column to read');
    expect(await refusalOf(source)).toContain('column 3: the time is not later');
  });
});

const shared = process.env['REGULON_DATA'] ?? join(process.cwd(), '..', 'shared', 'data');
const withData = existsSync(shared) ? it : it.skip;

describe('real files', () => {
  withData(
    'the five TCGA clients: one panel of 20,531 genes, 152 labelled tumours (needs the shared data)',
    async () => {
      const classes = [
        { name: 'Basal', rule: 'Basal' },
        { name: 'LumA', rule: 'Lum and is_LumA' },
        { name: 'LumB', rule: 'Lum and not is_LumA' },
      ];
      const units: number[] = [];
      const classUnits = [0, 0, 0];
      const panels = new Set<string>();
      for (const client of ['c1', 'c2', 'c3', 'c4', 'c5']) {
        const at = (name: string): string => join(shared, 'tcga_brca_flimma', client, name);
        const dataset = await loadDataset({
          counts: at('counts.tsv.gz'),
          labels: at('design.tsv'),
          kind: 'expression',
          scale: 'counts',
        });
        expect(dataset.genes.length).toBe(20_531);
        panels.add(Buffer.from(dataset.panelDigest).toString('hex'));
        units.push(dataset.unitIds.length);
        viewOf(dataset, classes).labels?.forEach(
          (label) => (classUnits[label] = (classUnits[label] ?? 0) + 1),
        );
        expect(dataset.notes).toEqual(['gene names of several kinds: 29 Entrez numbers, 20502 symbols']);
      }
      expect(units).toEqual([15, 23, 23, 46, 45]);
      expect(classUnits).toEqual([30, 83, 39]);
      expect(panels.size).toBe(1);
    },
  );

  withData('the four yeast experiments by columnsPrefix (needs the shared data)', async () => {
    const shapes: [number, number, string][] = [];
    for (const columnsPrefix of ['alpha', 'cdc15', 'cdc28', 'elu']) {
      const counts = join(shared, 'yeast_cellcycle', 'spellman.txt.gz');
      const dataset = await loadDataset({ counts, kind: 'series', scale: 'log-ratio', columnsPrefix });
      expect(dataset.unitIds.length).toBe(6178);
      const view = viewOf(dataset);
      shapes.push([fillSeries(view, 4).n, dataset.genes.length, seriesBaselines(view, 4).ar3.mse.toFixed(3)]);
      if (columnsPrefix === 'cdc15')
        expect([...(dataset.times ?? [])].slice(0, 5)).toEqual([10, 30, 50, 70, 80]);
    }
    expect(shapes).toEqual([
      [6075, 18, '0.062'],
      [5948, 24, '0.188'],
      [6147, 17, '0.134'],
      [6075, 14, '0.083'],
    ]);
  });

  withData('files of other kinds: R header, two id columns, CRLF (needs the shared data)', async () => {
    const shapeOf = async (path: string, more: Omit<DatasetSource, 'counts' | 'kind'>): Promise<number[]> => {
      const dataset = await loadDataset({ counts: join(shared, path), kind: 'expression', ...more });
      return [dataset.genes.length, dataset.unitIds.length];
    };
    const pasilla = 'fixtures/pasilla/pasilla_gene_counts.tsv.gz';
    expect(await shapeOf(pasilla, { scale: 'counts' })).toEqual([14_599, 7]);
    const cells = 'sc_mixology/sc_celseq2_5cl_p1.count.csv.gz';
    expect(await shapeOf(cells, { scale: 'counts' })).toEqual([15_564, 297]);
    const metabolites = 'quartet/figshare/Metabolomics_fulldataset_log2expr_r71c180.csv.gz';
    expect(await shapeOf(metabolites, { scale: 'log-ratio', ignoreColumns: ['metabolite_name'] })).toEqual([
      71, 180,
    ]);
    expect(
      await refusalOf({ counts: join(shared, metabolites), kind: 'expression', scale: 'log-ratio' }),
    ).toContain('line 2, column 2: not a number');
    const proteins = 'quartet/figshare/Proteomics_fulldataset_log2FOT_r3489c180.csv.gz';
    expect(await shapeOf(proteins, { scale: 'log-ratio' })).toEqual([3489, 180]);
  });
});
