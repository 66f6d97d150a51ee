import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { fileOf, folder } from '../source-files.support.js';
import { collect, refusalOfFile } from '../stream/collected.support.js';

describe('GEO', () => {
  const SERIES = [
    '!Series_title\t"Krebs und Erk\u00e4ltung"',
    '!Sample_title\t"a"\t"b"',
    '!Sample_geo_accession\t"GSM1"\t"GSM2"',
    '!Sample_characteristics_ch1\t"tissue: liver"\t"tissue: lung"',
    '!series_matrix_table_begin',
    '"ID_REF"\t"GSM1"\t"GSM2"',
    '"1007_s_at"\t1.5\t2',
    '"1053_at"\t\t-3',
    '!series_matrix_table_end',
    '',
  ].join('\r\n');

  it.each([
    ['UTF-8', Buffer.from(SERIES)],
    ['Latin-1', Buffer.from(SERIES, 'latin1')],
  ])('series matrix in %s: quoted headers, markers, characteristics', async (_, bytes) => {
    const all = await collect(fileOf(gzipSync(bytes)));
    expect(all.header).toMatchObject({
      format: 'GEO series matrix',
      rows: 'genes',
      columnNames: ['GSM1', 'GSM2'],
    });
    expect(all.header?.columnTable).toEqual(
      new Map([
        ['title', ['a', 'b']],
        ['tissue', ['liver', 'lung']],
      ]),
    );
    expect([all.rowNames, all.values]).toEqual([
      ['1007_s_at', '1053_at'],
      [
        [1.5, 2],
        [NaN, -3],
      ],
    ]);
  });

  it('a data set: its subsets are labels of its samples', async () => {
    const text = [
      '^DATABASE = Geo',
      '^DATASET = GDS1',
      '^SUBSET = GDS1_1',
      '!subset_description = tumour',
      '!subset_sample_id = GSM2',
      '!subset_type = disease state',
      '#ID_REF = probe',
      '!dataset_table_begin',
      'ID_REF\tIDENTIFIER\tGSM1\tGSM2',
      'a_at\tESR1\t1\tnull',
      '!dataset_table_end',
    ].join('\n');
    const all = await collect(fileOf(text));
    expect([all.rowNames, all.values, all.cells]).toEqual([['a_at'], [[1, NaN]], [['ESR1']]]);
    expect(all.header?.columnTable).toEqual(new Map([['disease state', [null, 'tumour']]]));
  });

  const sample = (name: string, rows: string): string =>
    `^SAMPLE = ${name}\n!Sample_title = ${name} title\n!sample_table_begin\nID_REF\tVALUE\tCALL\n${rows}!sample_table_end\n`;
  const PLATFORM = '^PLATFORM = GPL1\n!platform_table_begin\nID\tSEQ\n1\tACGT\n!platform_table_end\n';

  it('several samples of one file become units, joined by feature', async () => {
    const text =
      PLATFORM +
      sample('GSM1', '1\t0.5\tP\n2\t7\tA\n') +
      sample('GSM2', '2\t8\tA\n1\t\tP\n') +
      '^SERIES = x\n';
    const all = await collect(fileOf(text));
    expect([all.rowNames, all.columnNames, all.values]).toEqual([
      ['GSM1', 'GSM2'],
      ['1', '2'],
      [
        [0.5, 7],
        [NaN, 8],
      ],
    ]);
    expect(all.cells[1]).toEqual(['GSM2 title', null]);
  });

  it.each([
    [
      'other features',
      sample('GSM1', '1\t2\tP\n') + sample('GSM2', '3\t2\tP\n'),
      /line 12: the sample has features/,
    ],
    [
      'fewer features',
      sample('GSM1', '1\t2\tP\n') + sample('GSM2', ''),
      /line 11: 0 features, the first sample has 1/,
    ],
    [
      'no column VALUE',
      sample('GSM1', '').replace('VALUE', 'RATIO'),
      /line 4: the table has no column VALUE/,
    ],
    [
      'no end of a table',
      sample('GSM1', '1\t2\tP\n').replace(/!sample_table_end\n/, ''),
      /ends inside a table/,
    ],
    ['no sample', PLATFORM, /holds no sample with a table/],
  ])('samples with %s are refused', async (_, text, message) => {
    expect(await refusalOfFile(fileOf(text))).toMatch(message);
  });
});

describe('GCT', () => {
  const GCT = '#1.2\n2\t3\nNAME\tDescription\tS1\tS2\tS3\nA\tna\t1\t2\t3\nB\tna\t4\t5\t6\n';

  it('1.2 and 1.3, with annotations on both sides', async () => {
    const all = await collect(fileOf(GCT));
    expect([all.shape, all.values[1], all.header?.rowColumns]).toEqual([[2, 3], [4, 5, 6], ['Description']]);
    const text = '#1.3\n1\t2\t1\t1\nid\tsymbol\tS1\tS2\ntissue\tna\tliver\tlung\nx_at\tESR1\t1\t2\n';
    const newer = await collect(fileOf(text));
    expect([newer.values, newer.cells, newer.header?.columnTable]).toEqual([
      [[1, 2]],
      [['ESR1']],
      new Map([['tissue', ['liver', 'lung']]]),
    ]);
  });

  it('of another size than it says is refused', async () => {
    expect(await refusalOfFile(fileOf(GCT.replace('2\t3', '2\t4')))).toMatch(/line 2: .* 3 samples/);
    expect(await refusalOfFile(fileOf(GCT.replace('2\t3', '3\t3')))).toMatch(/line 2: .* 2 rows/);
  });
});

describe('counting tools', () => {
  const STAR = 'N_unmapped\t9\t9\t9\nN_multimapping\t1\t1\t1\nN_noFeature\t1\t1\t1\nN_ambiguous\t1\t1\t1\n';

  it('featureCounts: without the places of the genes', async () => {
    const text =
      '# Program:featureCounts v2; Command:"x"\nGeneid\tChr\tStart\tEnd\tStrand\tLength\ta.bam\tb.bam\nENSG1\tchr1;chr1\t1;9\t5;12\t+;+\t8\t3\t0\n';
    const all = await collect(fileOf(text));
    expect([all.columnNames, all.values, all.header?.rows]).toEqual([['a.bam', 'b.bam'], [[3, 0]], 'genes']);
  });

  it('STAR: a folder of units, without the summary rows, by strand', async () => {
    const at = join(folder, 'star');
    mkdirSync(at);
    writeFileSync(join(at, 'P1_ReadsPerGene.out.tab'), `${STAR}ENSG1\t1\t2\t3\nENSG2\t4\t5\t6\n`);
    writeFileSync(
      join(at, 'P2_ReadsPerGene.out.tab.gz'),
      gzipSync(`${STAR}ENSG2\t7\t8\t9\nENSG1\t0\t0\t1\n`),
    );
    const all = await collect(at);
    expect([all.rowNames, all.columnNames, all.values]).toEqual([
      ['P1', 'P2'],
      ['ENSG1', 'ENSG2'],
      [
        [1, 4],
        [0, 7],
      ],
    ]);
    expect((await collect(at, { column: 'reverse' })).values).toEqual([
      [3, 6],
      [1, 9],
    ]);
    expect(await refusalOfFile(at, { column: 'TPM' })).toMatch(/E_ARGUMENT .* no column TPM/);
    writeFileSync(join(at, 'P3_ReadsPerGene.out.tab'), `${STAR}ENSG1\t1\t2\t3\n`);
    expect(await refusalOfFile(at)).toMatch(/P3.*: other features than in P1/);
  });

  it('Salmon: a folder a unit, reads or TPM', async () => {
    const at = join(folder, 'salmon');
    for (const [name, reads] of [
      ['P1', 5],
      ['P2', 6],
    ] as const) {
      mkdirSync(join(at, name), { recursive: true });
      const text = `Name\tLength\tEffectiveLength\tTPM\tNumReads\nENST1.2\t9\t8.1\t1e6\t${reads}.5\n`;
      writeFileSync(join(at, name, 'quant.sf'), text);
    }
    const all = await collect(at);
    expect([all.rowNames, all.values]).toEqual([
      ['P1', 'P2'],
      [[5.5], [6.5]],
    ]);
    expect((await collect(join(at, 'P1', 'quant.sf'), { column: 'TPM' })).values).toEqual([[1e6]]);
  });
});

describe('VCF', () => {
  const HEAD = '##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\n';

  it('counts alternative alleles; an unknown one is missing', async () => {
    const all = await collect(
      fileOf(
        `${HEAD}1\t10\trs5\tA\tG\t.\tPASS\t.\tGT:DP\t0|1:3\t1/1:9\n1\t12\t.\tAC\tA,T\t.\tq10\t.\tDP:GT\t3:./.\t4:1/2\n`,
      ),
    );
    expect([all.rowNames, all.columnNames, all.values]).toEqual([
      ['rs5', '1:12:AC:A,T'],
      ['S1', 'S2'],
      [
        [1, 2],
        [NaN, 2],
      ],
    ]);
    expect(all.cells[1]).toEqual(['1:12', 'q10']);
  });

  it.each([
    ['a short row', '1\t10\t.\tA\tG\n', /line 3: 5 cells instead of 11/],
    ['no position', '1\tx\t.\tA\tG\t.\t.\t.\tGT\t0/1\t0/1\n', /line 3, column 2: no position/],
    ['a genotype of words', '1\t10\t.\tA\tG\t.\t.\t.\tGT\t0/1\tsick\n', /line 3, column 11: no genotype/],
    ['no genotypes', '1\t10\t.\tA\tG\t.\t.\t.\tDP\t3\t3\n', /line 3, column 9: no genotypes/],
  ])('with %s is refused', async (_, row, message) => {
    const refusal = await refusalOfFile(fileOf(HEAD + row));
    expect(refusal).toMatch(message);
    expect(refusal).not.toContain('sick');
  });
});
