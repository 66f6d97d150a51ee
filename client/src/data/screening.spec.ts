import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { importFile } from './index.js';
import { identifyingRule } from './screening.js';
import { fileOf } from './source-files.support.js';

describe('an annotation that may identify a person', () => {
  it.each([
    ['Date_of_birth', ['x'], /name of the column/],
    ['Patient name', ['x'], /name of the column/],
    ['MRN', ['x'], /name of the column/],
    ['visit', ['1950-02-01', '1961-12-24', '1948-07-30', '1977-01-02'], /dates/],
    ['visit', ['1.2.1950', '24.12.1961', '30.7.1948', '2/1/77'], /dates/],
    ['who', ['Ada Lovelace', 'Hopper, Grace', 'Emmy Noether', 'Lise Meitner'], /names of persons/],
    ['code', [1254729, 1030008, 1084056, 1300417], /record numbers/],
    ['code', ['1254729.0', '1030008.0', '1084056.0', '1300417.0'], /record numbers/],
  ])('%s with such values is found', (name, cells, rule) => {
    expect(identifyingRule(name, cells)).toMatch(rule);
  });

  it.each([
    ['condition', ['RCC', 'normal', 'RCC', 'normal']],
    ['cell_type', ['CD4+ T', 'Dendritic', 'CD14+ Monocyte', 'CD19+ B']],
    ['batch', ['P_ILM_L1_B1', 'P_ILM_L1_B2', 'P_BGI_L3_B1', 'P_BGI_L3_B2']],
    ['date', [20200618, 20200618, 20200618, 20200602]],
    ['age', [64, 51, 49, 70]],
    ['n_counts', [16430, 73088, 20011, 9321]],
    ['organism', ['Homo Sapiens', 'Homo Sapiens', 'Homo Sapiens', 'Homo Sapiens']],
    ['few', ['1950-02-01', null]],
  ])('%s of harmless values is not', (name, cells) => {
    expect(identifyingRule(name, cells)).toBeNull();
  });
});

const GENES = ['ENSG00000000003', 'ENSG00000000005'];
const UNITS = ['S1', 'S2', 'S3', 'S4', 'S5', 'S6'];
const matrix = (units = UNITS): string =>
  `gene\t${units.join('\t')}\n${GENES.map((g, i) => [g, ...units.map((_, u) => u * 3 + i + 1)].join('\t')).join('\n')}\n`;
const table = (column: string, cells: readonly string[]): string =>
  fileOf(`unit\tbatch\t${column}\n${cells.map((cell, u) => `${UNITS[u]}\tB${u % 2}\t${cell}`).join('\n')}\n`);

describe('the import of units', () => {
  const folder = temporaryFolder('screened');
  const refusal = async (
    options: Partial<Parameters<typeof importFile>[1]>,
    text = matrix(),
  ): Promise<string> =>
    importFile(fileOf(text), { name: 'x', folder, ...options }).then(
      () => 'no refusal',
      (error: Error & { code?: string }) => `${error.code} ${error.message}`,
    );

  it('keeps no column that was not asked for, and refuses one that identifies persons', async () => {
    const labels = table('visit', [
      '1950-02-01',
      '1961-12-24',
      '1948-07-30',
      '1977-01-02',
      '1980-05-05',
      '1933-03-03',
    ]);
    const message = await refusal({ labels, keepColumns: ['batch', 'visit'] });
    expect(message).toMatch(/^E_DATA_IDENTIFIER matrix\d+\.tsv: column visit: the values look like dates$/);
    const own = temporaryFolder('kept');
    const { folder: at } = await importFile(fileOf(matrix()), {
      name: 'y',
      folder: own,
      labels,
      keepColumns: ['batch'],
    });
    expect(readFileSync(join(at, 'units.json'), 'utf8')).not.toContain('1950');
  });

  it('refuses units that are named by record numbers', async () => {
    const text = matrix(['1254729', '1030008', '1084056', '1300417', '1299999', '1010101']);
    expect(await refusal({ orientation: 'genes-by-units' }, text)).toMatch(
      /E_DATA_IDENTIFIER .*the names of the units/,
    );
  });

  it('wants to know the patient when one has several units, and keeps numbers in place of names', async () => {
    const labels = table('patient', ['anna', 'bela', 'anna', 'cleo', 'bela', 'dora']);
    expect(await refusal({ labels })).toMatch(
      /E_ARGUMENT .*column patient names some patients more than once/,
    );
    const own = temporaryFolder('patients');
    const { folder: at, manifest } = await importFile(fileOf(matrix()), {
      ...{ name: 'p', folder: own, labels, patientColumn: 'patient' },
    });
    const units = JSON.parse(readFileSync(join(at, 'units.json'), 'utf8')) as { columns: unknown };
    expect([manifest.patientColumn, units.columns]).toEqual(['patient', { patient: [1, 2, 1, 3, 2, 4] }]);
    const none = await importFile(fileOf(matrix()), {
      name: 'q',
      folder: own,
      labels,
      patientColumn: 'none',
    });
    expect(none.manifest.patientColumn).toBeNull();
  });
});
