import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  covariateColumns,
  designOf,
  emptySpecification,
  type FeatureSpecification,
  statisticsSteps,
} from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { contractOf, RunProgram } from '@regulon/shared/program';
import { loadDataset, viewOf } from '../data/index.js';
import { DatasetStore } from '../datasets/dataset-store.js';
import { siteBatchesPath } from '../datasets/index.js';
import { testFederation, testPlan } from '../policy/site.support.js';
import type { PulledModel } from './pulled-model.js';
import { prepareSamples } from './sample-job.js';

const GENES = ['G0', 'G1', 'G2', 'G3', 'G4', 'G5'];
const UNITS = Array.from({ length: 24 }, (_, u) => u);
const plateOf = (u: number): string => ['north', 'south', 'west'][u % 3] ?? '';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-batches-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const count = (u: number, g: number, site: number): number =>
  Math.round(60 + 20 * Math.sin(1.7 * u + g + site) + 15 * (u % 3) * Math.cos(g) + 0.3 * u * g);
/** @param columns of the label table, behind the plate */
function write(
  name: string,
  units: readonly number[],
  { site = 0, columns = ['x', 'age'] as readonly string[], plate = plateOf } = {},
): { counts: string; labels: string } {
  const at = { counts: join(folder, `${name}.tsv`), labels: join(folder, `${name}-labels.tsv`) };
  const rows = GENES.map((gene, g) => [gene, ...units.map((u) => count(u, g, site))].join('\t'));
  const header = ['gene', ...units.map((u) => `P${u}`)].join('\t');
  writeFileSync(at.counts, `${[header, ...rows].join('\n')}\n`);
  const cells: Record<string, (u: number) => number> = {
    x: (u) => (u >> 1) % 2,
    age: (u) => 40 + ((7 * u) % 31),
  };
  const label = (u: number): string =>
    [`P${u}`, plate(u), ...columns.map((column) => cells[column]?.(u))].join('\t');
  writeFileSync(at.labels, `${[['unit', 'plate', ...columns].join('\t'), ...units.map(label)].join('\n')}\n`);
  return at;
}

const design = {
  batch: 'plate',
  covariates: [
    { name: 'of-class', rule: 'x' },
    { name: 'age', column: 'age' },
  ],
};
const source = { kind: 'expression', scale: 'counts' } as const;

/** A run over two sites, and what the first one keeps of it. */
async function trained(name: string, step: object) {
  const plan: Plan = testPlan({
    ...{ design, prepare: [{ step: 'log2' }, step], evaluation: { split: 'none' } },
    dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
  });
  const [own, other] = [write(`${name}-a`, UNITS), write(`${name}-b`, UNITS, { site: 5 })];
  const views = await Promise.all(
    [own, other].map(async (files) => {
      const dataset = await loadDataset({ ...files, ...source });
      return { ...viewOf(dataset, plan.label?.classes), ...designOf(dataset, plan.design) };
    }),
  );
  const steps = statisticsSteps(plan.prepare, {
    ...{ genes: GENES.length, classes: 2, weightCap: 64, fractionBits: 32, uMin: 0 },
    covariates: covariateColumns(plan.design),
  });
  const store = await DatasetStore.load({
    ...{ ...own, ...source, name: 'toy', unit: 'patient', public: false, simulated: true },
  });
  const { panel } = store.describe();
  const specification = steps.reduce<FeatureSpecification>(
    (spec, round) => {
      const sums = views.map((view) => round.local(view, spec));
      const total = (sums[0] ?? new Float64Array(0)).map((x, k) => x + (sums[1]?.[k] ?? NaN));
      return round.fit(spec, total, 2);
    },
    emptySpecification({ panelDigest: panel.digest, genes: GENES.length }),
  );
  const contract = contractOf({
    ...{ runId: new Uint8Array(16), roster: testFederation().roster, isPublic: true, panel, plan },
  });
  const arm = new RunProgram(contract).arms[0]!;
  const prefix = join(folder, `${name}-run`);
  const request = { contract, siteId: 1, arm, use: 'train', specification, prefix } as const;
  const data = store.writeFeatures(request);
  const model: PulledModel = {
    ...{ digest: '', run: '', arm: 0, plan, specification, panelDigest: panel.digest, weightsPath: '' },
  };
  return { model, features: floats(data?.featuresPath ?? ''), batches: siteBatchesPath(prefix) };
}

const floats = (path: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(path)).buffer);

/** Prepared rows of samples. */
async function prepared(
  model: PulledModel,
  files: { counts: string; labels: string },
  batches?: string,
): Promise<number[][]> {
  const how = { where: files, wantsClasses: false, ...(batches === undefined ? {} : { batches }) };
  const { data, dataset } = await prepareSamples(model, how, join(folder, 'samples'));
  const values = floats(data.featuresPath);
  return dataset.unitIds.map((_, u) => [...values.subarray(u * GENES.length, (u + 1) * GENES.length)]);
}

describe('samples of batches that their site trained with', () => {
  it.each<[string, object, readonly string[]]>([
    ['batch-center', { step: 'batch-center' }, []],
    ['batch-z-score', { step: 'batch-z-score' }, []],
    [
      'remove-batch-effect, by the class that samples lack',
      { step: 'remove-batch-effect', covariates: ['of-class'] },
      [],
    ],
    ['combat, by age', { step: 'combat', covariates: ['age'] }, ['age']],
    ['combat of means, by the class', { step: 'combat', covariates: ['of-class'], meanOnly: true }, []],
  ])('are corrected as in training, one alone too: %s', async (name, step, columns) => {
    const { model, features, batches } = await trained(name.split(' ')[0] ?? '', step);
    // other plates, in another order, than the run had
    const samples = [23, 5, 2, 11];
    const rows = await prepared(model, write('few', samples, { columns }), batches);
    rows.forEach((row, i) => {
      const u = samples[i] ?? NaN;
      expect(row).toEqual([...features.subarray(u * GENES.length, (u + 1) * GENES.length)]);
    });
    expect(await prepared(model, write('one', [2], { columns }), batches)).toEqual([rows[2]]);
  });

  it('are refused by name: another batch, no covariate, no parameters, those of another preparation', async () => {
    const { model, batches } = await trained('refused', { step: 'combat', covariates: ['age'] });
    const other = await trained('other', { step: 'batch-center' });
    const files = write('new', [1, 2], { columns: ['age'] });
    const east = write('east', [1, 2], { columns: ['age'], plate: (u) => (u === 2 ? 'east' : plateOf(u)) });
    await expect(prepared(model, east, batches)).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: 'sample 2: its batch (column plate) is none of the 3 that this site trained with',
    });
    await expect(prepared(model, write('bare', [1], { columns: [] }), batches)).rejects.toMatchObject({
      code: 'E_LABEL',
      message: 'design: the label table has no column age',
    });
    await expect(prepared(model, files)).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: 'the preparation corrects batches, and it is not known how',
    });
    await expect(prepared(model, files, other.batches)).rejects.toMatchObject({ code: 'E_DIGEST' });
    writeFileSync(join(folder, 'none.json'), '{');
    await expect(prepared(model, files, join(folder, 'none.json'))).rejects.toMatchObject({
      code: 'E_ARGUMENT',
    });
  });
});
