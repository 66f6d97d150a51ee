import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  encoded,
  GENES,
  KEPT,
  logarithms,
  withMeans,
  rawSample,
  type ToyModel,
  writeClasses,
  writeModel,
  writeTable,
  zScores,
} from './pulled-model.support.js';
import { run } from './run-program.support.js';

const UNITS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const linear = [{ type: 'dense', units: 'outputs' }];
let folder: string;
let model: ToyModel;
let samples: string;
let labels: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-attribute-'));
  model = writeModel(join(folder, 'model'), linear);
  samples = writeTable(join(folder, 'samples.tsv'), UNITS);
  labels = writeClasses(join(folder, 'labels.tsv'), UNITS);
});
afterAll(() => rmSync(folder, { recursive: true }));

const attribute = (path: string, ...more: string[]) =>
  run(
    'model',
    'attribute',
    path,
    '--data',
    samples,
    '--out',
    join(folder, 'a.tsv'),
    '--backend',
    'wasm',
    '--force',
    ...more,
  );
const table = (name: string): string[][] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

/** Weight times z-score of the kept genes: what every method that adds up gives a linear model. */
const shares = (u: number, output: number): number[] =>
  zScores(rawSample(u)).map((x, i) => x * (model.weights[2 * i + output] ?? NaN));

describe('regulon model attribute', () => {
  it.each([
    ['integrated-gradients', []],
    ['gradient-input', []],
    ['occlusion', []],
  ])('%s of a linear model: weight × value, of each sample and on average by class', async (method, more) => {
    const units = join(folder, 'units.tsv');
    const own = ['--explain', 'class', '--labels', labels, '--units', units];
    const { code, out, err } = await attribute(model.path, '--method', method, ...own, ...more);
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ data: { units: 9, inputs: 5 }, warnings: [] });
    const [header, ...rows] = table('units.tsv');
    expect(header).toEqual(['unit', 'output', ...KEPT.map((gene) => GENES[gene])]);
    rows.forEach(([unit, output, ...numbers], i) => {
      const u = UNITS[i] ?? NaN;
      expect([unit, output]).toEqual([`P${u}`, u % 2 === 0 ? 'Basal' : 'Luminal']);
      shares(u, u % 2).forEach((share, g) => expect(Number(numbers[g])).toBeCloseTo(share, 4));
    });
    const basal = table('a.tsv').filter(([output]) => output === 'Basal');
    expect(basal.map(([, n, rank]) => [n, rank])).toEqual(KEPT.map((_, i) => ['4', String(i + 1)]));
    for (const [, , , gene, absolute, mean] of basal) {
      const at = KEPT.findIndex((kept) => GENES[kept] === gene);
      const values = [2, 4, 6, 8].map((u) => shares(u, 0)[at] ?? NaN);
      expect(Number(mean)).toBeCloseTo(
        values.reduce((sum, x) => sum + x / 4, 0),
        4,
      );
      expect(Number(absolute)).toBeCloseTo(
        values.reduce((sum, x) => sum + Math.abs(x) / 4, 0),
        4,
      );
    }
  });

  it('draws the first genes on a page that loads nothing, and prints them', async () => {
    const { out } = await attribute(model.path, '--explain', 'Basal', '--top', '3', '--format', 'table');
    const ranked = table('a.tsv')
      .slice(1)
      .map(([, , , gene]) => gene);
    expect(out).toContain(`Basal  9 samples: ${ranked.join(', ')}`);
    const page = readFileSync(join(folder, 'a.tsv.html'), 'utf8');
    expect(page).not.toMatch(/<script|href=|src=|url\(/);
    expect(page).toContain('For this site only');
    expect(page.match(/<rect /g)).toHaveLength(3);
    for (const gene of ranked.slice(0, 3)) expect(page).toContain(`>${gene}</text>`);
    expect(page).not.toContain(`>${ranked[3]}</text>`);
  });

  it('explains the class that the model gives a sample where nothing else is asked', async () => {
    const units = join(folder, 'units.tsv');
    await attribute(model.path, '--units', units);
    await run(
      'model',
      'predict',
      model.path,
      '--data',
      samples,
      '--out',
      join(folder, 'p.tsv'),
      '--backend',
      'wasm',
    );
    const predicted = table('p.tsv').map(([unit, output]) => [unit, output]);
    expect(
      table('units.tsv')
        .map(([unit, output]) => [unit, output])
        .slice(1),
    ).toEqual(predicted.slice(1));
  });

  const norm = [{ type: 'layer-norm' }, ...linear];
  it.each<[string, number, string, () => Promise<{ code: number; err: string }>]>([
    [
      'Grad-CAM without a convolution',
      4,
      'Grad-CAM: no convolution',
      () => attribute(model.path, '--method', 'grad-cam'),
    ],
    [
      'relevance through a layer without a rule',
      4,
      'relevance: trunk/0-layer-norm (layer-norm) has no rule\nnext: use integrated gradients',
      () => attribute(writeModel(join(folder, 'norm'), norm).path, '--method', 'relevance'),
    ],
    [
      'points of a path without a path',
      4,
      '--nodes: saliency has none\nnext: leave it out, or use integrated-gradients or expected-gradients',
      () => attribute(model.path, '--method', 'saliency', '--nodes', '3'),
    ],
    [
      'an output that is none',
      4,
      'nothing that is called HER2\nnext: it gives Basal, Luminal',
      () => attribute(model.path, '--explain', 'HER2'),
    ],
    ['classes that nobody knows', 1, 'E_LABEL', () => attribute(model.path, '--explain', 'class')],
    [
      'more baselines than samples',
      4,
      'a background is of 1 to 9 units',
      () => attribute(model.path, '--method', 'expected-gradients'),
    ],
    [
      'a stabiliser of 0',
      4,
      '--epsilon: above 0',
      () => attribute(model.path, '--method', 'relevance', '--epsilon', '0'),
    ],
  ])('refuses %s', async (_name, code, expected, refused) => {
    const result = await refused();
    expect(result.err).toContain(expected);
    expect(result.code).toBe(code);
  });

  /** Weight times distance from a baseline, as the table of units has it. */
  const sharesFrom = async (path: string, baseline: (gene: number) => number, ...more: string[]) => {
    const units = join(folder, 'from.tsv');
    const { code, out } = await attribute(path, '--explain', 'Basal', '--units', units, ...more);
    expect(code).toBe(0);
    table('from.tsv')
      .slice(1)
      .forEach(([, , ...numbers], i) => {
        const x = zScores(rawSample(UNITS[i] ?? NaN));
        x.forEach((value, g) =>
          expect(Number(numbers[g])).toBeCloseTo((value - baseline(g)) * (model.weights[2 * g] ?? NaN), 3),
        );
      });
    return out;
  };

  it.each(['occlusion', 'integrated-gradients'])(
    '%s compares with the mean of samples that are named, prepared as all are',
    async (method) => {
      const controls = writeTable(join(folder, 'controls.tsv'), [20, 21, 22]);
      const means = KEPT.map((_, g) =>
        [20, 21, 22].reduce((sum, u) => sum + (zScores(rawSample(u))[g] ?? NaN) / 3, 0),
      );
      const out = await sharesFrom(
        model.path,
        (g) => means[g] ?? NaN,
        '--method',
        method,
        '--baseline',
        controls,
      );
      expect(JSON.parse(out)).toMatchObject({ data: { comparedWith: 'mean of 3 samples' } });
    },
  );

  it('compares with the mean profile of the run, or with zeros', async () => {
    const occlude = ['--method', 'occlusion'];
    const own = await sharesFrom(model.path, () => 0, ...occlude);
    expect(JSON.parse(own)).toMatchObject({ data: { comparedWith: 'mean profile of the run' } });
    const zeros = await sharesFrom(model.path, () => 0, ...occlude, '--baseline', 'zero');
    expect(JSON.parse(zeros)).toMatchObject({ data: { comparedWith: 'zeros' } });
    // not centred: what a z-score takes away stands in the profile
    const { path } = writeModel(join(folder, 'means'), linear, {
      change: { featureSpecification: encoded(withMeans) },
    });
    const units = join(folder, 'means.tsv');
    await attribute(path, ...occlude, '--explain', 'Basal', '--units', units, '--baseline', 'mean');
    const [, first = []] = table('means.tsv');
    KEPT.forEach((gene, g) => {
      const x = Math.log2((rawSample(1)[gene] ?? NaN) + 1);
      expect(Number(first[2 + g])).toBeCloseTo((x - gene / 2) * (model.weights[2 * g] ?? NaN), 3);
    });
  });

  it('says that zeros are no mean profile where the preparation tells none; asked for it, it refuses', async () => {
    const change = { featureSpecification: encoded(logarithms) };
    const { path } = writeModel(join(folder, 'raw'), linear, { change });
    const { err } = await attribute(path, '--method', 'occlusion');
    expect(err).toBe(
      'warning: compared with zeros, which are no mean profile: the preparation does not tell one; --baseline names another\n',
    );
    expect((await attribute(path, '--method', 'saliency')).err).toBe('');
    expect((await attribute(path, '--method', 'occlusion', '--baseline', 'zero')).err).toBe('');
    expect(await attribute(path, '--method', 'occlusion', '--baseline', 'mean')).toMatchObject({
      code: 4,
      err: expect.stringContaining('the preparation does not tell the mean profile\nnext: name samples'),
    });
    expect(await attribute(path, '--method', 'saliency', '--baseline', 'zero')).toMatchObject({
      code: 4,
      err: expect.stringContaining('--baseline: saliency has none'),
    });
  });
});
