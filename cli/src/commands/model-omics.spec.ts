import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { emptySpecification, panelDigest } from '@regulon/shared/genomics';
import { readPlanFile } from '../plan-file/index.js';
import { simulateOmics } from '../sim/generate/index.js';
import { type ToyModel, writePlanModel } from './pulled-model.support.js';
import { run } from './run-program.support.js';

const example = fileURLToPath(new URL('../../../examples/omics-fusion.sim.yaml', import.meta.url));
const CODE = 16;
const CLASSES = ['A', 'B', 'C'];
let folder: string;
let model: ToyModel;
let samples: string;
let panel: string[];
/** z-scores of each patient, NaN where an omic is missing. */
let patients: { name: string; x: number[] }[];

const cells = (path: string): string[][] =>
  readFileSync(path, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
const table = (name: string): string[][] => cells(join(folder, name));
/** Moments of a feature, as if the run had fitted them. */
const MEAN = (feature: number): number => Math.sin(feature) / 4;
const SD = (feature: number): number => 1 + (feature % 5) / 5;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-omics-'));
  const plan = readPlanFile(example);
  const inputs = plan.model.inputs ?? [];
  const [site] = simulateOmics({
    ...{ folder: join(folder, 'sites'), seed: 7, inputs },
    sites: ['s1', 's2'],
  });
  samples = site?.counts ?? '';
  const [header = [], ...rows] = cells(samples);
  panel = rows.map(([name = '']) => name);
  patients = header.slice(1).map((name, p) => ({
    name,
    x: rows.map((row, f) => (Number(row[1 + p]) - MEAN(f)) / SD(f)),
  }));
  const mean = Float64Array.from(panel, (_, f) => MEAN(f));
  const sd = Float64Array.from(panel, (_, f) => SD(f));
  const empty = emptySpecification({ panelDigest: panelDigest(panel), genes: panel.length });
  const specification = { ...empty, steps: [{ step: 'z-score' as const, mean, sd }] };
  model = writePlanModel(join(folder, 'model'), plan, { specification, panel });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The example's model in float64: an encoder each, their mean over those that are there, a dense head. */
function logits(x: readonly number[]): number[] {
  const code = Array.from({ length: CODE }, () => 0);
  let at = 0;
  const layer = (from: readonly number[], units: number): number[] => {
    const { weights } = model;
    const bias = at + from.length * units;
    const out = Array.from({ length: units }, (_, k) =>
      from.reduce((sum, v, i) => sum + v * weights[at + i * units + k]!, weights[bias + k]!),
    );
    at = bias + units;
    return out;
  };
  const omics = ['rna:', 'protein:'].map((omic) => x.filter((_, f) => panel[f]?.startsWith(omic)));
  const there = omics.filter((own) => !own.some(Number.isNaN)).length;
  for (const own of omics) {
    const isThere = !own.some(Number.isNaN);
    layer(own, CODE).forEach((v, k) => (code[k]! += isThere ? Math.max(0, v) / there : 0));
  }
  return layer(code, CLASSES.length);
}

const apply = (command: string, out: string, ...more: string[]) =>
  run(
    'model',
    command,
    model.path,
    ...['--data', samples, '--out', join(folder, out), '--backend', 'wasm', ...more],
  );

describe('a pulled model of several omics', () => {
  it('predicts patients who have all omics, and those who lack one', async () => {
    expect(await apply('predict', 'p.tsv')).toMatchObject({ code: 0, err: '' });
    const [header, ...rows] = table('p.tsv');
    expect(header).toEqual(['unit', 'predicted', ...CLASSES]);
    expect(rows.map(([name]) => name)).toEqual(patients.map(({ name }) => name));
    expect(patients.filter(({ x }) => x.some(Number.isNaN)).length).toBeGreaterThan(3);
    rows.forEach(([, , ...chances], p) => {
      const powers = logits(patients[p]!.x).map(Math.exp);
      const sum = powers.reduce((a, b) => a + b, 0);
      powers.forEach((power, k) => expect(Number(chances[k])).toBeCloseTo(power / sum, 4));
    });
  });

  it('attributes its output to features by name; an omic that a patient lacks gets zeros', async () => {
    const units = join(folder, 'units.tsv');
    const how = ['--method', 'occlusion', '--explain', 'B', '--units', units];
    const { code, err, out } = await apply('attribute', 'a.tsv', ...how);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ data: { units: patients.length, inputs: panel.length } });
    const [header = [], ...rows] = table('units.tsv');
    // in the order of the model's inputs, masks are none
    expect(header.slice(2)).toEqual(panel);
    expect([...new Set(table('a.tsv').map(([, , , gene]) => gene))].sort()).toEqual(
      ['gene', ...panel].sort(),
    );
    rows.forEach(([, , ...shares], p) => {
      const { x } = patients[p]!;
      const whole = logits(x)[1]!;
      x.forEach((value, f) => {
        if (Number.isNaN(value)) return expect(Number(shares[f])).toBe(0);
        if (f % 7 !== 0) return;
        const without = logits(x.map((other, i) => (i === f ? 0 : other)))[1]!;
        expect(Number(shares[f])).toBeCloseTo(whole - without, 3);
      });
    });
  });

  it('adds up to the difference from the mean profile', async () => {
    const units = join(folder, 'ig.tsv');
    const path = ['--explain', 'B', '--nodes', '256', '--rule', 'midpoint', '--units', units];
    expect(await apply('attribute', 'ig.sums.tsv', ...path)).toMatchObject({ code: 0 });
    table('ig.tsv')
      .slice(1)
      .forEach(([, , ...shares], p) => {
        const { x } = patients[p]!;
        const nothing = logits(x.map((value) => value * 0))[1]!;
        const sum = shares.reduce((a, b) => a + Number(b), 0);
        expect(sum).toBeCloseTo(logits(x)[1]! - nothing, 1);
      });
  });
});
