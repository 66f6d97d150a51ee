import { describe, expect, it } from '@jest/globals';
import { temporaryFolder } from '../state/temporary-folder.support.js';
import { type DatasetSource, importFile, loadDataset, verifyPatientUnits } from './index.js';
import { patientCount } from './patients.js';
import { fileOf } from './source-files.support.js';

const folder = temporaryFolder('patients');
let stores = 0;
const MATRIX = 'gene\tA1\tB1\tA2\tC1\nENSG00000000003\t1\t2\t3\t4\nENSG00000000005\t10\t20\t30\t40\n';
const LABELS = 'unit\tpatient\tclass\tvisit\nA1\tanna\tx\t1\nB1\tbo\ty\t1\nA2\tanna\tx\t2\nC1\tcy\ty\t1\n';
const storeOf = async (labels = LABELS): Promise<string> => {
  const { folder: at } = await importFile(fileOf(MATRIX), {
    ...{ name: `p-${stores++}`, folder, labels: fileOf(labels) },
    ...{ keepColumns: ['class', 'visit'], patientColumn: 'patient' },
  });
  return at;
};
const load = async (more: Partial<DatasetSource> = {}) =>
  loadDataset({ counts: await storeOf(), kind: 'expression', scale: 'counts', ...more });

describe('several records of a patient', () => {
  it('are known to the dataset by number, and count as one patient', async () => {
    const dataset = await load();
    expect(dataset.patients).toEqual([1, 2, 1, 3]);
    expect([dataset.unitIds.length, patientCount(dataset)]).toEqual([4, 3]);
    expect(JSON.stringify([...dataset.columns])).not.toContain('anna');
  });

  it('are no dataset of patients until it is said how they become one', async () => {
    const dataset = await load();
    expect(() => verifyPatientUnits(dataset, 'patient', 'toy')).toThrow(
      expect.objectContaining({
        code: 'E_UNITS',
        message: expect.stringMatching(/^toy: 4 units are of 3 patients/),
      }),
    );
    expect(() => verifyPatientUnits(dataset, 'library', 'toy')).not.toThrow();
  });

  it.each([
    ['sum', [4, 40, 2, 20, 4, 40]],
    ['mean', [2, 20, 2, 20, 4, 40]],
  ] as const)(
    'become one unit by their %s; what differs between them is missing',
    async (perPatient, values) => {
      const dataset = await load({ perPatient });
      expect([dataset.unitIds, [...dataset.values]]).toEqual([
        ['patient-1', 'patient-2', 'patient-3'],
        values,
      ]);
      expect(dataset.columns.get('class')).toEqual(['x', 'y', 'y']);
      expect(dataset.columns.get('visit')).toEqual([null, 1, 1]);
      expect(dataset.notes).toContain('column visit differs within 1 patients: missing there');
      expect(() => verifyPatientUnits(dataset, 'patient', 'toy')).not.toThrow();
    },
  );

  it('need a patient for every unit', async () => {
    await expect(storeOf(LABELS.replace('\tbo', '\tNA'))).rejects.toMatchObject({
      ...{ code: 'E_DATA_FORMAT', message: expect.stringContaining('unit 2, column patient: no patient') },
    });
  });

  it('are joined, and columns left out, only where that can be done', async () => {
    const refused = expect.objectContaining({ code: 'E_ARGUMENT' });
    const plain = { counts: fileOf(MATRIX), kind: 'expression', scale: 'counts' } as const;
    await expect(loadDataset({ ...plain, perPatient: 'sum' })).rejects.toEqual(refused);
    await expect(load({ ignoreColumns: ['A1'] })).rejects.toEqual(refused);
    expect((await loadDataset({ ...plain, ignoreColumns: ['A1'] })).unitIds).toEqual(['B1', 'A2', 'C1']);
  });

  it('that are single need nothing', async () => {
    const at = await storeOf(LABELS.replace('A2\tanna', 'A2\tada'));
    const dataset = await loadDataset({ counts: at, kind: 'expression', scale: 'counts' });
    expect(dataset.patients).toBeUndefined();
    expect(patientCount(dataset)).toBe(4);
  });
});

describe('series from an imported dataset', () => {
  const SERIES =
    'ORF\talpha_0\tcdc15_10\tcdc15_30\tcdc15_50\nYAL001C\t9\t0.1\t-0.2\t0.3\nYAL002W\t9\t\t1.5\tNA\nYAL003W\t9\t1\t2\t3\n';
  const TURNED = 'visit\tcdc15_10\tcdc15_30\tcdc15_50\nP1\t0.1\t-0.2\t0.3\nP2\t\t1.5\tNA\nP3\t1\t2\t3\n';
  const series = { kind: 'series', scale: 'log-ratio', columnsPrefix: 'cdc15' } as const;
  const imported = async (text: string, orientation: 'genes-by-units' | 'units-by-genes') =>
    (await importFile(fileOf(text), { name: `s-${stores++}`, folder, orientation })).folder;

  it('are those of the file, with times and gaps', async () => {
    const file = fileOf(SERIES);
    const direct = await loadDataset({ counts: file, ...series });
    const stored = await loadDataset({ counts: await imported(SERIES, 'genes-by-units'), ...series });
    for (const part of ['unitIds', 'genes', 'values', 'times', 'panel', 'panelDigest'] as const)
      expect([part, stored[part]]).toEqual([part, direct[part]]);
    expect(Array.from(stored.times ?? [])).toEqual([10, 30, 50]);
    expect(stored.values.filter(Number.isNaN)).toHaveLength(2);
  });

  it('may lie either way, and keep the labels of the series', async () => {
    const at = await imported(TURNED, 'units-by-genes');
    const dataset = await loadDataset({ counts: at, ...series });
    expect([dataset.unitIds, dataset.genes.length]).toEqual([['P1', 'P2', 'P3'], 3]);
  });

  it('know their patients, and are not joined', async () => {
    const labels = fileOf('visit\tpatient\nP1\ta\nP2\tb\nP3\ta\n');
    const options = { orientation: 'units-by-genes', labels, patientColumn: 'patient' } as const;
    const { folder: at } = await importFile(fileOf(TURNED), { name: `s-${stores++}`, folder, ...options });
    const dataset = await loadDataset({ counts: at, ...series });
    expect(dataset.patients).toEqual([1, 2, 1]);
    expect(() => verifyPatientUnits(dataset, 'patient', 'toy')).toThrow('3 units are of 2 patients');
    await expect(loadDataset({ counts: at, ...series, perPatient: 'mean' })).rejects.toMatchObject({
      code: 'E_ARGUMENT',
    });
  });

  it('are refused where nothing names times, or the scale is another', async () => {
    const at = await imported(SERIES, 'genes-by-units');
    await expect(loadDataset({ counts: at, ...series, columnsPrefix: 'elu' })).rejects.toMatchObject({
      message: expect.stringContaining('neither genes nor units are named by times'),
    });
    await expect(loadDataset({ counts: at, ...series, scale: 'counts' })).rejects.toMatchObject({
      code: 'E_DATA_SCALE',
    });
  });
});
