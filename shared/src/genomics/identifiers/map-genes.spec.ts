import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { utf8 } from '../../crypto/index.js';
import { geneTableBytes, geneTableOfHgnc, parseGeneTable } from './gene-table.js';
import { mapGenes } from './map-genes.js';
import { damageOf, serialDamage, symbolsBehind } from './spreadsheet-damage.js';

// a few lines in the form of HGNC's complete set, with the identifiers that it gives
const HGNC = [
  'hgnc_id\tsymbol\tname\tstatus\talias_symbol\tprev_symbol\tentrez_id\tensembl_gene_id',
  'HGNC:7729\tSEPTIN2\tseptin 2\tApproved\tDIFF6|KIAA0158|hNedd5\tNEDD5|SEPT2\t4735\tENSG00000168385',
  'HGNC:26077\tMARCHF1\tmembrane associated ring-CH-type finger 1\tApproved\tRNF171|MARCH-I\tMARCH1\t55016\tENSG00000145416',
  'HGNC:26189\tMTARC1\tmitochondrial amidoxime reducing component 1\tApproved\tFLJ22390\tMOSC1|MARC1\t64757\tENSG00000186205',
  'HGNC:28728\tMARCHF3\tmembrane associated ring-CH-type finger 3\tApproved\tMGC48332|RNF173\tMARCH3\t115123\tENSG00000173926',
  'HGNC:23660\tDELEC1\tdeleted in esophageal cancer 1\tApproved\t\tDEC1\t50514\tENSG00000173077',
  'HGNC:1046\tBHLHE40\tbasic helix-loop-helix family member e40\tApproved\tDEC1|STRA13\tBHLHB2\t8553\tENSG00000134107',
  'HGNC:3467\tESR1\testrogen receptor 1\tApproved\tNR3A1|Era\tESR\t2099\tENSG00000091831',
  'HGNC:1\tC1orf112\tx\tApproved\t\t\t55732\tENSG00000000460',
  'HGNC:2\tOLDONE\tx\tEntry Withdrawn\t\t\t\t',
  'HGNC:3\tTWIN1\tx\tApproved\tSHARED\t\t11\t',
  'HGNC:4\tTWIN2\tx\tApproved\tSHARED\t\t44444\t',
].join('\n');
const bytes = geneTableBytes(geneTableOfHgnc(HGNC, '2026-10-06', 'hgnc.txt'));
const table = parseGeneTable(bytes, 'genes.tsv');

describe('a gene table', () => {
  it('is made of the complete set of HGNC, and is hashed as it lies in its file', () => {
    expect([table.source, table.release, table.genes.length]).toEqual(['HGNC', '2026-10-06', 10]);
    expect(table.digest).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect(table.genes.find(({ symbol }) => symbol === 'SEPTIN2')).toEqual({
      ...{ symbol: 'SEPTIN2', ensembl: 'ENSG00000168385', entrez: '4735' },
      ...{ aliases: ['DIFF6', 'KIAA0158', 'hNedd5'], previous: ['NEDD5', 'SEPT2'] },
    });
  });

  const text = new TextDecoder().decode(bytes);
  it.each([
    ['no source', text.replace('# source: ', ''), /genes.tsv: line 1: is not `# source/],
    ['no release', text.replace(/# release.*/, '#'), /line 2: is not `# release/],
    [
      'blanks in its release',
      text.replace('2026-10-06', '2026 10 06'),
      /line 2: is not `# release: …`, 1 to 100 characters without blanks/,
    ],
    ['other columns', text.replace('symbol\t', 'gene\t'), /line 3: the columns/],
    ['a short line', text.replace('\t55016', ''), /line \d+: 4 cells instead of 5/],
    ['a wrong Ensembl id', text.replace('ENSG00000168385', 'ENSG1'), /line \d+: no ensembl identifier/],
    ['a wrong Entrez number', text.replace('4735', '4735x'), /line \d+: no entrez identifier/],
    ['one symbol twice', `${text}ESR1\t\t\t\t\n`, /genes \d+ and \d+ have the same symbol/],
    ['no gene', text.split('\n').slice(0, 3).join('\n'), /holds no gene/],
  ])('with %s is refused by place and rule', (_, broken, message) => {
    expect(() => parseGeneTable(utf8(broken), 'genes.tsv')).toThrow(message);
  });

  it('is not made of a file without the columns', () => {
    expect(() => geneTableOfHgnc('symbol\tname\n', '1', 'x.txt')).toThrow(
      'x.txt: line 1: there is no column status',
    );
  });
});

describe('names of genes', () => {
  const symbols = (...names: string[]) => mapGenes(table, names, 'symbol');

  it.each([
    ['approved symbols', ['ESR1', 'SEPTIN2'], { symbol: 2 }],
    ['previous symbols', ['ESR', 'SEPT2'], { previous: 2 }],
    ['aliases', ['NR3A1', 'hNedd5'], { alias: 2 }],
    ['Ensembl ids, with a version or without', ['ENSG00000091831.12', 'ENSG00000168385'], { ensembl: 2 }],
    ['Entrez numbers', ['2099', 'Entrezid:4735'], { entrez: 2 }],
    ['a mixture', ['ESR1', '4735'], { symbol: 1, entrez: 1 }],
  ])('are understood as %s', (_, names, ways) => {
    const mapped = symbols(...names);
    expect([...mapped.identifiers].sort()).toEqual(['ESR1', 'SEPTIN2']);
    expect(mapped.ways).toEqual(ways);
  });

  it('are written as Ensembl ids or Entrez numbers where the panel is', () => {
    expect(mapGenes(table, ['ESR', 'SEPT2'], 'ensembl').identifiers).toEqual([
      'ENSG00000091831',
      'ENSG00000168385',
    ]);
    expect(mapGenes(table, ['ESR', 'SEPT2'], 'entrez').identifiers).toEqual(['2099', '4735']);
    expect(mapGenes(table, ['TWIN1', 'ESR1'], 'ensembl')).toMatchObject({ unknown: [0] });
  });

  it('that several genes have, or none, are named by place', () => {
    expect(symbols('SHARED', 'ESR1', 'NOSUCH', 'OLDONE')).toMatchObject({
      ...{ identifiers: [null, 'ESR1', null, null], ambiguous: [0], unknown: [2, 3] },
    });
  });

  it('are right also in capitals, but a gene of mice is none of ours', () => {
    expect(symbols('C1ORF112', 'Sept2')).toMatchObject({ identifiers: ['C1orf112', null], unknown: [1] });
  });

  it('for one gene: the surest stays, two equally sure ones clash', () => {
    expect(symbols('ESR', 'ESR1')).toMatchObject({ identifiers: [null, 'ESR1'], surplus: [0], clash: null });
    expect(symbols('NR3A1', 'Era')).toMatchObject({ clash: [0, 1] });
  });
});

describe('names that a spreadsheet turned into dates', () => {
  // September 2 of 2023 as text and as a number of days, computed with another program: 45171
  it.each(['2-Sep', '02-Sep', 'Sep-02', 'Sep-2', '2-Sept', '2023-09-02', '2023-09-02 00:00:00', '45171'])(
    '%s can only have been SEPT2',
    (name) => {
      const mapped = mapGenes(table, [name, 'ESR1', 'BHLHE40'], 'symbol');
      expect(mapped).toMatchObject({ identifiers: ['SEPTIN2', 'ESR1', 'BHLHE40'], ways: { date: 1 } });
    },
  );

  it.each([
    ['1-Mar', 'MARCH1 or MARC1'],
    ['1-Dec', 'two genes were called DEC1, by a previous symbol and by an alias'],
    ['3/2/2023', 'no gene of March or February of that number'],
    ['30-Feb', 'no gene at all'],
    ['2.31E+19', 'a number'],
  ])('%s stays damaged: %s', (name) => {
    expect(mapGenes(table, ['ESR1', name], 'symbol')).toMatchObject({
      ...{ identifiers: ['ESR1', null], damaged: [1] },
    });
  });

  it('9/2/2023 is SEPT2, whatever the order of day and month, as long as no other gene fits', () => {
    expect(mapGenes(table, ['9/2/2023', 'ESR1'], 'symbol').identifiers).toEqual(['SEPTIN2', 'ESR1']);
    expect(mapGenes(table, ['3/3/2023', 'ESR1'], 'symbol').identifiers).toEqual(['MARCHF3', 'ESR1']);
  });

  it('are not repaired into a gene that the file has under its name', () => {
    expect(mapGenes(table, ['2-Sep', 'SEPT2', 'ESR1'], 'symbol')).toMatchObject({
      ...{ identifiers: [null, 'SEPTIN2', 'ESR1'], damaged: [0], surplus: [] },
    });
  });

  it('a number of days is an Entrez number among numbers, and undecided when it can be both', () => {
    expect(mapGenes(table, ['45171', '2099', '4735'], 'symbol')).toMatchObject({ unknown: [0], damaged: [] });
    const both = {
      ...table,
      genes: table.genes.map((gene) => (gene.entrez === '11' ? { ...gene, entrez: '45171' } : gene)),
    };
    expect(mapGenes(both, ['45171', 'ESR1', 'C1orf112'], 'symbol')).toMatchObject({ damaged: [0] });
  });

  it('are told from names that only look alike', () => {
    for (const name of ['sep-1', 'SEPT2', 'MARCH1', 'DEC1', 'rs123', '4735', 'HLA-A', 'Y-2', 'NKX2-5']) {
      expect([name, damageOf(name)]).toEqual([name, null]);
    }
    expect(serialDamage('36525')).toBeNull();
    expect(symbolsBehind(damageOf('1-Mar') ?? { kind: 'date', readings: [] })).toEqual([
      'MARCH1',
      'MARC1',
      'MAR1',
    ]);
  });

  it('of one gene that are equally sure clash, but not beside a surer one, wherever that stands', () => {
    const mapped = (names: string[]) => mapGenes(table, names, 'symbol');
    expect(mapped(['NEDD5', 'SEPT2']).clash).toEqual([0, 1]);
    expect(mapped(['SEPTIN2', 'NEDD5', 'SEPT2'])).toMatchObject({ clash: null, surplus: [1, 2] });
    expect(mapped(['NEDD5', 'SEPT2', 'SEPTIN2']).clash).toBeNull();
    expect(mapped(['NEDD5', 'SEPT2', 'SEPTIN2']).identifiers).toEqual([null, null, 'SEPTIN2']);
  });
});
