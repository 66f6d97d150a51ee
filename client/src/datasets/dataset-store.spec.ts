import { afterAll, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hex } from '@regulon/shared/crypto';
import { emptySpecification, type FeatureSpecification } from '@regulon/shared/genomics';
import { contractOf, type RunContract, RunProgram } from '@regulon/shared/program';
import { importFile } from '../data/index.js';
import { testFederation, testPlan } from '../policy/site.support.js';
import { DatasetStore } from './dataset-store.js';
import type { UnitUse } from './site-data.js';

const folder = mkdtempSync(join(tmpdir(), 'regulon-dataset-'));
afterAll(() => rmSync(folder, { recursive: true }));

const COUNTS = 'gene\tP1\tP2\nESR1\t5\t0\nFOXA1\t7\t9\n';
const LABELS = 'unit\tsubtype\tage\nP1\tBasal\t50\nP2\tLumA\t61\n';

/** Digest of what a site commits to. */
async function contentOf(counts: string, labels: string): Promise<string> {
  const paths = { counts: join(folder, 'counts.tsv'), labels: join(folder, 'design.tsv') };
  writeFileSync(paths.counts, counts);
  writeFileSync(paths.labels, labels);
  const store = await DatasetStore.load({
    ...paths,
    ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient', public: false, simulated: true },
  });
  return hex(store.describe().content);
}

describe('the digest of a dataset', () => {
  it.each([
    ['a value', COUNTS.replace('\t9', '\t8'), LABELS],
    ['a class', COUNTS, LABELS.replace('LumA', 'LumB')],
    ['a covariate', COUNTS, LABELS.replace('61', '62')],
    ['the name of a column', COUNTS, LABELS.replace('age', 'years')],
    ['a missing mark', COUNTS, LABELS.replace('61', 'NA')],
    ['the id of a unit', COUNTS.replace('P2', 'P3'), LABELS.replace('P2', 'P3')],
  ])('changes with %s', async (_, counts, labels) => {
    expect(await contentOf(counts, labels)).not.toBe(await contentOf(COUNTS, LABELS));
  });

  it('of a series changes with the time of a step', async () => {
    const ofSeries = async (text: string): Promise<string> => {
      const counts = join(folder, 'series.tsv');
      writeFileSync(counts, text);
      const store = await DatasetStore.load({
        ...{
          counts,
          name: 'd',
          kind: 'series',
          scale: 'log-ratio',
          unit: 'gene',
          public: false,
          simulated: true,
        },
        columnsPrefix: 'cdc15',
      });
      return hex(store.describe().content);
    };
    const text = 'gene\tcdc15_10\tcdc15_30\nYAL001C\t0.5\t-1\n';
    expect(await ofSeries(text.replace('_30', '_40'))).not.toBe(await ofSeries(text));
    expect(await ofSeries(text)).toBe(await ofSeries(text));
  });

  it('does not depend on the order of the label table', async () => {
    const [header, ...rows] = LABELS.trim().split('\n');
    const swapped = [header, ...rows.reverse()].join('\n');
    expect(await contentOf(COUNTS, swapped)).toBe(await contentOf(COUNTS, LABELS));
  });
});

/** A dataset of twenty patients with three genes, and a plan over it. */
async function manyPatients(): Promise<{
  store: DatasetStore;
  contractWith: (plan: Readonly<Record<string, unknown>>) => RunContract;
}> {
  const units = Array.from({ length: 20 }, (_, i) => `P${i}`);
  const paths = { counts: join(folder, 'many.tsv'), labels: join(folder, 'many-design.tsv') };
  const row = (gene: string, factor: number) =>
    `${gene}\t${units.map((_, i) => factor * i + 1).join('\t')}\n`;
  writeFileSync(
    paths.counts,
    `gene\t${units.join('\t')}\n${row('ESR1', 1)}${row('FOXA1', 2)}${row('GATA3', 3)}`,
  );
  writeFileSync(paths.labels, `unit\tx\n${units.map((unit, i) => `${unit}\t${i % 2}\n`).join('')}`);
  const store = await DatasetStore.load({
    ...paths,
    ...{ name: 'd', kind: 'expression', scale: 'counts', unit: 'patient', public: false, simulated: true },
  });
  const contractWith = (plan: Readonly<Record<string, unknown>>): RunContract =>
    contractOf({
      ...{ runId: new Uint8Array(16), roster: testFederation().roster, isPublic: true },
      panel: store.describe().panel,
      plan: testPlan(plan),
    });
  return { store, contractWith };
}

describe('the units of an arm', () => {
  it('train, validate or test it, each of them one', async () => {
    const { store, contractWith } = await manyPatients();
    const label = {
      classes: [
        { name: 'odd', rule: 'x == 1' },
        { name: 'even', rule: 'x == 0' },
      ],
    };
    let runs = 0;
    const partsOf = (evaluation: object): string[] => {
      const runId = new Uint8Array(16).fill((runs += 1));
      const contract = { ...contractWith({ prepare: [], label, evaluation }), runId };
      return new RunProgram(contract).arms.map((arm) => {
        const specification = keptOf(contract, [0, 1, 2]);
        const unitsOf = (use: UnitUse): number[] => {
          const prefix = join(folder, `part-${use}`);
          const data = store.writeFeatures({ contract, siteId: 1, arm, use, specification, prefix });
          if (!data) return [];
          const bytes = readFileSync(data.featuresPath);
          const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
          return Array.from({ length: data.n }, (_, i) => (x[i * 3] ?? NaN) - 1);
        };
        const [train, validation, test] = [unitsOf('train'), unitsOf('validation'), unitsOf('test')];
        const all = [...train, ...validation, ...test];
        expect(new Set(all).size).toBe(all.length);
        return `${train.length} ${validation.length} ${test.length}`;
      });
    };
    expect(partsOf({ split: 'holdout' })).toEqual(['16 0 4']);
    expect(partsOf({ split: 'holdout', every: 1 })).toEqual(['12 4 4']);
    expect(partsOf({ split: 'none', every: 1 })).toEqual(['16 4 0']);
    expect(partsOf({ split: 'det5', every: 1 })).toEqual([
      '16 4 0',
      ...Array.from({ length: 5 }, () => '12 4 4'),
    ]);
    expect(partsOf({ split: 'leave-site-out', every: 1 }).slice(0, 3)).toEqual([
      '16 4 0',
      '0 0 20',
      '16 4 0',
    ]);
  });
});

describe('several records of a patient', () => {
  /** Eight records of so many patients, imported with their patients. */
  async function recordsOf(patients: number): Promise<string> {
    const units = Array.from({ length: 8 }, (_, i) => `R${i}`);
    const [file, labels] = [join(folder, 'records.tsv'), join(folder, 'records-labels.tsv')];
    writeFileSync(
      file,
      `gene\t${units.join('\t')}\nENSG00000091831\t${units.map((_, i) => i + 1).join('\t')}\n`,
    );
    writeFileSync(
      labels,
      `unit\tpatient\tx\n${units.map((unit, i) => `${unit}\tp${i % patients}\t${i % 2}\n`).join('')}`,
    );
    const options = {
      name: `records-${patients}`,
      folder,
      labels,
      patientColumn: 'patient',
      keepColumns: ['x'],
    };
    return (await importFile(file, options)).folder;
  }
  const config = {
    name: 'd',
    kind: 'expression',
    scale: 'counts',
    public: false,
    simulated: true,
  } as const;

  it('of four patients serve no plan, however many records they have', async () => {
    const { contractWith } = await manyPatients();
    const classes = ['x', 'not x'].map((rule, i) => ({ name: `class ${i}`, rule }));
    for (const [patients, enough] of [
      [4, false],
      [5, true],
    ] as const) {
      const store = await DatasetStore.load({
        ...config,
        counts: await recordsOf(patients),
        unit: 'library',
      });
      const prepare = (): number => store.prepare(contractWith({ label: { classes } }), 1);
      if (enough) expect(prepare).not.toThrow('fewer than 5');
      else expect(prepare).toThrow('this site has fewer than 5 patients');
    }
  });

  it('are refused as a dataset of patients until perPatient joins them', async () => {
    const counts = await recordsOf(6);
    await expect(DatasetStore.load({ ...config, counts, unit: 'patient' })).rejects.toMatchObject({
      code: 'E_UNITS',
    });
    const store = await DatasetStore.load({ ...config, counts, unit: 'patient', perPatient: 'sum' });
    expect(store.describe().units).toBe(6);
  });
});

describe('the classes of a plan', () => {
  it('are read anew for a plan of the same name with other rules', async () => {
    const { store, contractWith } = await manyPatients();
    const ruled = (rule: string): RunContract =>
      contractWith({
        label: {
          classes: [
            { name: 'x', rule },
            { name: 'y', rule: `not ${rule}` },
          ],
        },
      });
    expect(store.prepare(ruled('x'), 1)).toBeGreaterThan(0);
    expect(() => store.prepare(ruled('z'), 1)).toThrow(/label|column/);
  });
});

describe('prepared features', () => {
  it('come with the names of the kept genes where the model is made with a file about genes', async () => {
    const { store, contractWith } = await manyPatients();
    const written = (model: unknown) => {
      const contract = contractWith({ model, prepare: [] });
      const { specification, arm } = {
        specification: keptOf(contract, [2, 0]),
        arm: new RunProgram(contract).arms[0]!,
      };
      return store.writeFeatures({
        contract,
        siteId: 1,
        arm,
        use: 'train',
        specification,
        prefix: join(folder, 'arm'),
      });
    };
    const dense = { type: 'dense', units: 'outputs' };
    const graph = { type: 'chebyshev', filters: 2, order: 2, graph: `sha256:${'0a'.repeat(32)}` };
    const blocks = (...layers: unknown[]) => ({ blocks: [{ name: 'trunk', layers }] });
    expect(written(blocks(dense))?.featureNamesPath).toBeUndefined();
    const path = written(blocks(graph, { type: 'flatten' }, dense))?.featureNamesPath;
    expect(readFileSync(path ?? '', 'utf8')).toBe('GATA3\nESR1\n');
  });
});

/** A specification that keeps some genes and does nothing to them. */
function keptOf(contract: RunContract, keptGenes: readonly number[]): FeatureSpecification {
  const everything = new RunProgram(contract).specification(0);
  return { ...everything, keptGenes: Uint32Array.from(keptGenes) };
}

describe('batches of a site', () => {
  it('are fitted on the training units, and held-out units are corrected with the same numbers', async () => {
    const { store, contractWith } = await manyPatients();
    const contract = contractWith({
      design: { batch: 'x' },
      prepare: [{ step: 'log2-cpm' }, { step: 'batch-center' }],
      evaluation: { split: 'holdout' },
    });
    const arm = new RunProgram(contract).arms[0]!;
    const none = new Float64Array(0);
    const steps: FeatureSpecification['steps'] = [
      { step: 'log2-cpm' },
      {
        step: 'batch-center',
        ...{ covariates: new Uint32Array(0), adjusted: new Uint32Array(0), meanOnly: false },
        ...{ beta: none, intercept: none, variance: none },
      },
    ];
    const meansOf = (corrected: boolean, use: 'train' | 'test'): number[] => {
      const specification = {
        ...emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 }),
        steps: corrected ? steps : steps.slice(0, 1),
      };
      const data = store.writeFeatures({
        contract,
        siteId: 1,
        arm,
        use,
        specification,
        prefix: join(folder, `${use}`),
      })!;
      const bytes = readFileSync(data.featuresPath);
      const x = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
      const classBytes = readFileSync(data.targetsPath!);
      const batch = new Int32Array(classBytes.buffer, classBytes.byteOffset, data.n);
      return [0, 1].map((b) => {
        const own = [...batch.keys()].filter((i) => batch[i] === b);
        return own.reduce((sum, i) => sum + (x[i * 3] ?? NaN), 0) / own.length;
      });
    };
    const raw = meansOf(false, 'train');
    expect(raw[0]).not.toBeCloseTo(raw[1] ?? NaN, 3);
    meansOf(true, 'train').forEach((mean) => expect(mean).toBeCloseTo(0, 5));
    const held = meansOf(false, 'test');
    meansOf(true, 'test').forEach((mean, b) =>
      expect(mean).toBeCloseTo((held[b] ?? NaN) - (raw[b] ?? NaN), 5),
    );
  });
});
