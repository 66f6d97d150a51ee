import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { combinePanels, panelFileText } from '@regulon/shared/genomics';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { geneListOf } from './gene-lists.js';
import { importFile, type ImportOptions, inspectFile, loadDataset, openStore, verifyStore } from './index.js';
import { fileOf } from './source-files.support.js';

const TABLE = fileOf(
  [
    ...['# source: HGNC', '# release: 2026-10-06', 'symbol\tensembl\tentrez\taliases\tprevious'],
    ...['ESR1\tENSG00000091831\t2099\tNR3A1\tESR', 'FOXA1\tENSG00000129514\t3169\t\tHNF3A'],
    ...['GATA3\tENSG00000107485\t2625\tHDR\t', 'SEPTIN2\tENSG00000168385\t4735\t\tSEPT2'],
    ...['MARCHF1\tENSG00000145416\t55016\t\tMARCH1', 'MTARC1\tENSG00000186205\t64757\t\tMARC1', ''],
  ].join('\n'),
);
const matrix = (...genes: string[]): string =>
  `gene\tP1\tP2\n${genes.map((gene, g) => `${gene}\t${g + 1}\t${10 * (g + 1)}\n`).join('')}`;
const turned = (...genes: string[]): string =>
  `unit\t${genes.join('\t')}\nP1\t${genes.map((_, g) => g + 1).join('\t')}\nP2\t${genes.map((_, g) => 10 * (g + 1)).join('\t')}\n`;

const folder = temporaryFolder('gene-axis');
let stores = 0;
const imported = async (text: string, options: Partial<ImportOptions> = {}) => {
  const { folder: at, manifest } = await importFile(fileOf(text), {
    ...{ name: `store-${stores++}`, folder, orientation: 'genes-by-units', ...options },
  });
  const { genes, values, panelDigest } = await loadDataset({
    counts: at,
    kind: 'expression',
    scale: 'counts',
  });
  expect(hex(panelDigest)).toBe(manifest.panel);
  expect(verifyStore(at).genes).toBe(genes.length);
  return { at, manifest, genes, values: [...values] };
};
const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'no refusal',
    (error: Error & { code?: string }) => `${error.code} ${error.message.replace(/matrix\d+\.tsv/g, 'FILE')}`,
  );

describe('a dataset imported with a gene table', () => {
  it('has the table’s symbols, whatever the file called its genes, and its digest names the table', async () => {
    const symbols = await imported(matrix('ESR1', 'SEPT2', 'HDR'), { geneTable: TABLE });
    const ensembl = await imported(matrix('ENSG00000091831.11', 'ENSG00000168385', 'ENSG00000107485'), {
      geneTable: TABLE,
    });
    const entrez = await imported(matrix('2099', '4735', 'Entrezid:2625'), { geneTable: TABLE });
    expect(symbols.genes).toEqual(['ESR1', 'SEPTIN2', 'GATA3']);
    expect(symbols.values).toEqual([1, 2, 3, 10, 20, 30]);
    expect(new Set([symbols, ensembl, entrez].map(({ manifest }) => manifest.panel)).size).toBe(1);
    const asWritten = await imported(matrix('ESR1', 'SEPTIN2', 'GATA3'));
    expect(asWritten.manifest.panel).not.toBe(symbols.manifest.panel);
    expect(symbols.manifest.identifiers).toMatchObject({
      kind: 'symbol',
      source: 'HGNC',
      release: '2026-10-06',
    });
  });

  it('repairs the date that can only have been SEPT2, and refuses the one that may be MARCH1 or MARC1', async () => {
    expect((await imported(matrix('ESR1', '2-Sep'), { geneTable: TABLE })).genes).toEqual([
      'ESR1',
      'SEPTIN2',
    ]);
    expect((await imported(matrix('ESR1', 'FOXA1', '45171'), { geneTable: TABLE })).genes[2]).toBe('SEPTIN2');
    const refused = refusal(imported(matrix('ESR1', '1-Mar'), { geneTable: TABLE }));
    expect(await refused).toBe(
      'E_DATA_FORMAT FILE: HGNC 2026-10-06 does not translate every gene: 1 damaged by a spreadsheet (gene 2)',
    );
    expect(await refusal(imported(matrix('ESR1', '2-Sep')))).toContain(
      'gene 2: the gene name was turned into a date',
    );
    expect(await refusal(imported(matrix('ESR1', '2.31E+13')))).toContain('turned into a number');
  });

  it.each([
    ['genes in rows', matrix, 'genes-by-units'],
    ['units in rows', turned, 'units-by-genes'],
  ] as const)('leaves out what has no translation only when told to, %s', async (_, text, orientation) => {
    const file = text('NOSUCH', 'ESR', 'ESR1', 'FOXA1');
    expect(await refusal(imported(file, { geneTable: TABLE, orientation }))).toMatch(
      /1 unknown \(gene 1\), 1 a second name of a gene that is there \(gene 2\)$/,
    );
    const kept = await imported(file, { geneTable: TABLE, orientation, dropUnmapped: true });
    expect([kept.genes, kept.values, kept.manifest.stored]).toEqual([['ESR1', 'FOXA1'], [3, 4, 30, 40], 4]);
  });

  it('refuses two equally good names of one gene, and a file of no known gene', async () => {
    expect(
      await refusal(imported(matrix('ENSG00000091831.1', 'ENSG00000091831.2'), { geneTable: TABLE })),
    ).toBe('E_DATA_DUPLICATE FILE: genes 1 and 2 are one gene of HGNC 2026-10-06');
    expect(await refusal(imported(matrix('X1', 'X2'), { geneTable: TABLE, dropUnmapped: true }))).toContain(
      'no gene of HGNC',
    );
  });

  it('is inspected with the share that the table understands', async () => {
    const { mapping } = await inspectFile(fileOf(matrix('ESR1', 'HNF3A', '1-Mar', 'NOSUCH')), {
      geneTable: TABLE,
    });
    expect(mapping).toEqual({
      ...{ source: 'HGNC', release: '2026-10-06', ways: { symbol: 1, previous: 1 } },
      ...{ unknown: 1, ambiguous: 0, damaged: 1, surplus: 0 },
    });
  });
});

describe('a dataset imported into a common panel', () => {
  const panelOf = (rule: 'intersection' | 'union', ...lists: (readonly string[])[]): string =>
    fileOf(
      panelFileText(
        combinePanels(
          lists.map((genes, i) => ({ name: `${i}`, genes, identifiers: null })),
          { rule },
        ),
      ),
    );

  it('has its genes in its order; sites of different files agree', async () => {
    const panel = panelOf('intersection', ['GATA3', 'ESR1', 'FOXA1'], ['FOXA1', 'ESR1', 'XBP1']);
    const a = await imported(matrix('GATA3', 'ESR1', 'FOXA1'), { panel });
    const b = await imported(turned('FOXA1', 'ESR1', 'XBP1'), { panel, orientation: 'units-by-genes' });
    expect([a.genes, a.values]).toEqual([
      ['ESR1', 'FOXA1'],
      [2, 3, 20, 30],
    ]);
    expect([b.genes, b.values]).toEqual([
      ['ESR1', 'FOXA1'],
      [2, 1, 20, 10],
    ]);
    expect(a.manifest.panel).toBe(b.manifest.panel);
  });

  it('lacks no gene unasked; a masked one is missing, never zero', async () => {
    const panel = panelOf('union', ['ESR1', 'FOXA1'], ['ESR1', 'XBP1']);
    const file = fileOf(matrix('ESR1', 'FOXA1'));
    const options = { name: 'masked', folder, panel, orientation: 'genes-by-units' } as const;
    expect(await refusal(importFile(file, options))).toBe(
      'E_PANEL FILE: lacks 1 of 3 genes of the panel (gene 3)',
    );
    expect(existsSync(join(folder, 'masked'))).toBe(false);
    const { folder: at } = await importFile(file, { ...options, maskAbsent: true });
    expect(openStore(at).genes).toMatchObject({ names: ['ESR1', 'FOXA1', 'XBP1'], rows: [0, 1, -1] });
    expect(geneListOf(at).genes).toEqual(['ESR1', 'FOXA1']);
    expect(await refusal(loadDataset({ counts: at, kind: 'expression', scale: 'counts' }))).toBe(
      'E_DATA_FORMAT masked: gene 3: the file of this site lacks it',
    );
  });

  it('of other identifiers, or of other genes, is refused', async () => {
    const panel = panelOf('union', ['ESR1']);
    expect(await refusal(imported(matrix('ESR1'), { panel, geneTable: TABLE }))).toContain(
      'a panel of other identifiers',
    );
    expect(await refusal(imported(matrix('XBP1', 'GATA3'), { panel }))).toContain(
      'holds no gene of the panel',
    );
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('one swapped gene gives another panel', async () => {
    const [a, b] = [await imported(matrix('ESR1', 'FOXA1')), await imported(matrix('FOXA1', 'ESR1'))];
    expect(a.manifest.panel).not.toBe(b.manifest.panel);
  });
});
