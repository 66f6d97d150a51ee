import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { inspectFile, type InspectOptions, inspectTable } from './import-file.js';
import { collect, refusalOfFile } from './stream/collected.support.js';

const shared = process.env['REGULON_DATA'] ?? join(process.cwd(), '..', 'shared', 'data');
const withData = existsSync(shared) ? it : it.skip;

type Row = readonly [file: string, genes: number, units: number, scale: string, options?: InspectOptions];

const labels = (file: string): InspectOptions => ({ labels: join(shared, file) });
const golub = { idColumn: 'Gene Accession Number' };
const byGenes = { orientation: 'genes-by-units' } as const;
const byUnits = { orientation: 'units-by-genes' } as const;

const FILES: readonly Row[] = [
  ['fixtures/h5ad/adata_v0.7.0.h5ad', 20, 30, 'counts'],
  ['fixtures/h5ad/adata_v0.7.8.h5ad', 20, 30, 'counts'],
  ['fixtures/zarr/adata_v0.7.0.zarr.zip', 20, 30, 'counts'],
  ['fixtures/zarr/adata_v0.7.8.zarr.zip', 20, 30, 'counts'],
  ['fixtures/zarr/10x_pbmc68k_reduced.zarr.zip', 765, 700, 'log-ratio'],
  ['fixtures/tenx/filtered_feature_bc_matrix.h5', 507, 1107, 'counts'],
  ['fixtures/tenx/filtered_feature_bc_matrix', 507, 1107, 'counts'],
  ['fixtures/cel/WT3_Pae_G1a.calvin.CEL.gz', 162_409, 1, 'linear'],
  ['fixtures/geo/GDS507.soft.gz', 22_645, 17, 'linear'],
  ['fixtures/geo/GSM11805.txt.gz', 22_283, 1, 'linear'],
  ['fixtures/geo/soft_ex_family.txt', 20, 3, 'log-ratio'],
  ['fixtures/pasilla/pasilla_gene_counts.tsv.gz', 14_599, 7, 'counts'],
  ['fixtures/pydeseq2_r_reference/test_counts.csv', 10, 100, 'counts'],
  ['fixtures/pydeseq2_r_reference/r_vst.csv', 10, 100, 'log', byGenes],
  ['fixtures/pydeseq2_r_reference/r_vst_with_design.csv', 10, 100, 'log'],
  ['fixtures/pydeseq2_r_reference/r_mean_vst.csv', 10, 100, 'log-ratio'],
  ['fixtures/pydeseq2_r_reference/r_test_res.csv', 10, 6, 'signed-intensities', byGenes],
  ['fixtures/pydeseq2_r_reference/r_test_dispersions.csv', 10, 1, 'log', byGenes],
  ['fixtures/pydeseq2_r_reference/r_iterative_size_factors.csv', 1, 100, 'log', byUnits],
  ['fixtures/pydeseq2_r_reference/r_test_size_factors.csv', 1, 100, 'log', byUnits],
  ['fixtures/pydeseq2_r_reference/r_test_size_factors_poscount.csv', 1, 100, 'log', byUnits],
  ['tcga_brca_flimma/c1/counts.tsv.gz', 20_531, 15, 'counts', labels('tcga_brca_flimma/c1/design.tsv')],
  ['quartet/figshare/Metabolomics_fulldataset_log2expr_r71c180.csv.gz', 71, 180, 'log'],
  ['quartet/figshare/Proteomics_fulldataset_log2FOT_r3489c180.csv.gz', 3489, 180, 'log-ratio'],
  ['quartet/clients/Transcriptomics/client_01_L01/intensities_log_UNION.tsv.gz', 26_907, 12, 'log-ratio'],
  ['sc_mixology/sc_celseq2.count.csv.gz', 28_204, 274, 'counts'],
  ['sc_mixology/sc_dropseq.count.csv.gz', 15_127, 225, 'counts'],
  ['golub/data_set_ALL_AML_train.tsv.gz', 7129, 38, 'signed-intensities', golub],
  ['golub/data_set_ALL_AML_independent.tsv.gz', 7129, 34, 'signed-intensities', golub],
  ['yeast_cellcycle/spellman.txt.gz', 6178, 77, 'log-ratio'],
  ['yeast_cellcycle/yeast_alpha.txt', 93, 18, 'log-ratio'],
  ['yeast_cellcycle/yeast_cdc15.txt', 78, 24, 'log-ratio'],
  ['yeast_cellcycle/yeast_cdc28.txt', 86, 17, 'log-ratio'],
  ['yeast_cellcycle/yeast_elu.txt', 93, 14, 'log-ratio'],
  ['adage/Anr-gene.pcl.gz', 5549, 6, 'log'],
  ['adage/ADAGE_50_activity_SdA.txt.gz', 50, 950, 'log', { skipLines: 1, orientation: 'units-by-genes' }],
  [
    'ms_ifnb/patient_sheet1.csv.gz',
    76,
    335,
    'linear',
    {
      idColumn: 'Sample #',
      textColumns: ['Patient code', '384-well plate #', 'EDSS'],
      missingMarks: ['#ERR'],
      orientation: 'units-by-genes',
    },
  ],
];

/** Tables of labels: units and columns. */
const LABELS: readonly (readonly [file: string, units: number, columns: number])[] = [
  ['fixtures/pasilla/pasilla_sample_annotation.csv', 7, 5],
  ['fixtures/pydeseq2_r_reference/test_metadata.csv', 100, 2],
  ['tcga_brca_flimma/c1/design.tsv', 15, 5],
  ['quartet/figshare/meta_full_dataset_3omics.csv', 540, 8],
  ['quartet/clients/Proteomics/client_01_L01/design.tsv', 12, 13],
  ['sc_mixology/sc_dropseq.metadata.csv.gz', 225, 15],
  ['golub/actual.csv', 72, 1],
];

/** Files that the tests below read in a way of their own. */
const OWN_TESTS = [
  ...['h5ad/adata_v0.11.4.h5ad', 'zarr/adata_v0.11.4.zarr.zip'],
  ...['barcodes', 'features', 'matrix'].map(
    (part) => `tenx/filtered_feature_bc_matrix/${part}.${part === 'matrix' ? 'mtx' : 'tsv'}.gz`,
  ),
];

describe('real files', () => {
  withData('none of the fixtures is left out (needs the shared data)', () => {
    const all = readdirSync(join(shared, 'fixtures'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(shared, join(entry.parentPath, entry.name)));
    const read = [...FILES, ...LABELS].map(([file]) => file);
    const own = OWN_TESTS.map((file) => join('fixtures', file));
    expect(all.filter((file) => !read.includes(file) && !own.includes(file))).toEqual([]);
  });

  withData.each([...LABELS])(
    '%s: %d units, %d columns of labels (needs the shared data)',
    async (file, units, columns) => {
      const found = await inspectTable(join(shared, file));
      expect([found.kind, found.units, found.vocabularies.length]).toEqual(['labels', units, columns]);
    },
  );

  withData('symbols of the BRCA panel are no UniProt numbers (needs the shared data)', async () => {
    const { identifiers } = await inspectFile(join(shared, 'tcga_brca_flimma/c1/counts.tsv.gz'));
    expect(identifiers).toEqual({ symbol: 20_502, 'Entrez number': 29 });
  });

  withData(
    'seven proteins whose names a spreadsheet turned into days are told (needs the shared data)',
    async () => {
      const file = 'quartet/figshare/Proteomics_fulldataset_log2FOT_r3489c180.csv.gz';
      const { identifiers } = await inspectFile(join(shared, file));
      expect(identifiers).toEqual({ symbol: 3482, 'date of a spreadsheet': 7 });
    },
  );

  withData('a part of a 10x matrix is no table of labels (needs the shared data)', async () => {
    const folder = join(shared, 'fixtures/tenx/filtered_feature_bc_matrix');
    for (const part of ['barcodes', 'features'])
      await expect(inspectTable(join(folder, `${part}.tsv.gz`))).rejects.toMatchObject({
        code: 'E_ARGUMENT',
        message: `${part}.tsv.gz is a part of a 10x matrix`,
      });
  });

  withData.each([...FILES])(
    '%s: %d genes × %d units, %s (needs the shared data)',
    async (file, genes, units, scale, ...[options]: [InspectOptions?]) => {
      const found = await inspectFile(join(shared, file), options);
      expect({ genes: found.genes, units: found.units, scale: found.scale }).toEqual({ genes, units, scale });
      expect(found.duplicateUnits.count).toBe(0);
    },
  );

  withData(
    'say their shape where there is no X, and refuse the old Excel file (needs the shared data)',
    async () => {
      for (const file of ['h5ad/adata_v0.11.4.h5ad', 'zarr/adata_v0.11.4.zarr.zip']) {
        expect(await refusalOfFile(join(shared, 'fixtures', file))).toMatch(
          /10 units × 20 genes, but no \/X/,
        );
      }
      expect(await refusalOfFile(join(shared, 'ms_ifnb/patient.XLS'))).toMatch(/an Excel \.xls file/);
    },
  );

  withData(
    'h5ad and Zarr of one object are equal, so are 10x MTX and H5 (needs the shared data)',
    async () => {
      for (const version of ['v0.7.0', 'v0.7.8']) {
        const h5 = await collect(join(shared, `fixtures/h5ad/adata_${version}.h5ad`));
        const zarr = await collect(join(shared, `fixtures/zarr/adata_${version}.zarr.zip`));
        expect(h5.values).toEqual(zarr.values);
        expect([h5.rowNames, h5.columnNames, h5.header?.rowColumns]).toEqual([
          ...[zarr.rowNames, zarr.columnNames, zarr.header?.rowColumns],
        ]);
        const stored = h5.values.flat().filter((x) => x !== 0).length;
        expect(stored).toBe(version === 'v0.7.0' ? 228 : 239);
      }
      const mtx = await collect(join(shared, 'fixtures/tenx/filtered_feature_bc_matrix'));
      const h5 = await collect(join(shared, 'fixtures/tenx/filtered_feature_bc_matrix.h5'));
      expect(mtx.values).toEqual(h5.values);
      expect(mtx.columnNames).toEqual(h5.columnNames);
      expect(mtx.values.flat().filter((x) => x !== 0)).toHaveLength(23_866);
    },
  );

  withData('the CEL file has the published mean and maximum (needs the shared data)', async () => {
    const { values } = await collect(join(shared, 'fixtures/cel/WT3_Pae_G1a.calvin.CEL.gz'));
    const numbers = values[0] ?? [];
    expect(numbers.reduce((a, b) => a + b) / numbers.length).toBeCloseTo(219.82, 3);
    expect(numbers.reduce((a, b) => Math.max(a, b))).toBeCloseTo(29_833.3, 1);
  });
});
