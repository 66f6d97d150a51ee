import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { fillSeries, panelDigest, SERIES_PANEL, seriesBaselines } from '@regulon/shared/genomics';
import { loadDataset, viewOf } from './dataset.js';
import type { DatasetSource } from './local-dataset.js';
import { fileOf, refusalOf } from './source-files.support.js';

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

  it('gives several experiments as channels, the shorter one filled up', async () => {
    const counts = fileOf(
      'row.names\tb_5\ta_0\ta_10\ta_20\tb_15\nYAL1\t5\t0.1\tNA\t-0.2\t1\nYAL2\t6\t\t0.3\t4\tNA\n',
    );
    const columnsPrefix = ['a', 'b'];
    const dataset = await loadDataset({ counts, kind: 'series', scale: 'log-ratio', columnsPrefix });
    expect(dataset.panel).toEqual(columnsPrefix);
    expect(dataset.panelDigest).toEqual(panelDigest(columnsPrefix));
    expect(dataset.genes).toEqual(['a_0', 'a_10', 'a_20', 'b_5', 'b_15', '']);
    expect([...(dataset.times ?? [])]).toEqual([0, 10, 20, 5, 15, NaN]);
    expect([...dataset.values]).toEqual([0.1, NaN, -0.2, 5, 1, NaN, NaN, 0.3, 4, 6, NaN, NaN]);
  });

  it('is refused when a channel has no column, or its times go back', async () => {
    const source = { counts: fileOf(FILE), kind: 'series', scale: 'log-ratio' } as const;
    expect(await refusalOf({ ...source, columnsPrefix: ['alpha', 'elu'] })).toContain(
      'no column is elu and a time',
    );
    const counts = fileOf('row.names\ta_10\ta_0\tb_0\nYAL1\t1\t2\t3\n');
    expect(await refusalOf({ ...source, counts, columnsPrefix: ['a', 'b'] })).toContain(
      'the time is not later',
    );
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
