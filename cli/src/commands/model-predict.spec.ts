import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { FeatureSpecification } from '@regulon/shared/genomics';
import {
  GENES,
  KEPT,
  rawSample,
  type ToyModel,
  writeModel,
  writeTwoHeads,
  writeTable,
  zScores,
} from './pulled-model.support.js';
import { run } from './run-program.support.js';

const softmaxRegression = [{ type: 'dense', units: 'outputs' }];
let folder: string;
let model: ToyModel;
let samples: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'regulon-model-predict-'));
  model = writeModel(join(folder, 'model'), softmaxRegression);
  samples = writeTable(join(folder, 'samples.tsv'), [1, 2, 3, 4, 5, 6, 7]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const predict = (path: string, data: string, out: string, ...more: string[]) =>
  run('model', 'predict', path, '--data', data, '--out', join(folder, out), '--backend', 'wasm', ...more);
const table = (name: string): string[][] =>
  readFileSync(join(folder, name), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));

/** Chances of the two classes of a softmax regression, in float64. */
function chances(u: number): number[] {
  const x = zScores(rawSample(u));
  const logit = (k: number): number =>
    x.reduce(
      (sum, value, i) => sum + value * (model.weights[2 * i + k] ?? NaN),
      model.weights[2 * KEPT.length + k] ?? NaN,
    );
  const first = 1 / (1 + Math.exp(logit(1) - logit(0)));
  return [first, 1 - first];
}

describe('regulon model predict', () => {
  it('writes the chance of each class for each sample, as the preparation and the weights say', async () => {
    const { code, out, err } = await predict(model.path, samples, 'all.tsv');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toMatchObject({ data: { units: 7, outputs: 2, backend: 'wasm' } });
    const [header, ...rows] = table('all.tsv');
    expect(header).toEqual(['unit', 'predicted', 'Basal', 'Luminal']);
    expect(rows.map(([unit]) => unit)).toEqual(['P1', 'P2', 'P3', 'P4', 'P5', 'P6', 'P7']);
    rows.forEach(([, predicted, ...numbers], i) => {
      const expected = chances(i + 1);
      numbers.forEach((text, k) => expect(Number(text)).toBeCloseTo(expected[k] ?? NaN, 5));
      expect(predicted).toBe((expected[0] ?? 0) > 0.5 ? 'Basal' : 'Luminal');
    });
  });

  it('gives one sample what it has among others, to 1e-6; only its owner reads the file', async () => {
    const alone = writeTable(join(folder, 'alone.tsv'), [5]);
    expect(await predict(model.path, alone, 'one.tsv')).toMatchObject({ code: 0 });
    await predict(model.path, samples, 'all.tsv', '--force');
    const [one, among] = [table('one.tsv')[1], table('all.tsv')[5]];
    expect(one?.slice(0, 2)).toEqual(among?.slice(0, 2));
    one
      ?.slice(2)
      .forEach((text, k) => expect(Math.abs(Number(text) - Number(among?.[2 + k]))).toBeLessThan(1e-6));
    expect(statSync(join(folder, 'one.tsv')).mode & 0o777).toBe(0o600);
  });

  it('names what each of several heads says, numbers in the unit of the data', async () => {
    const { path, weights } = writeTwoHeads(join(folder, 'heads'));
    expect(await predict(path, samples, 'heads.tsv')).toMatchObject({ code: 0, err: '' });
    const [header, ...rows] = table('heads.tsv');
    expect(header).toEqual(['unit', 'subtype: Basal', 'subtype: Lum', 'grading: index']);
    rows.forEach(([, basal, lum, index], i) => {
      expect(Number(basal) + Number(lum)).toBeCloseTo(1, 5);
      const own = weights.subarray(2 * KEPT.length + 2);
      const x = zScores(rawSample(i + 1));
      const learnt = x.reduce((sum, value, g) => sum + value * (own[g] ?? NaN), own[KEPT.length] ?? NaN);
      expect(Number(index)).toBeCloseTo(50 + 10 * learnt, 3);
    });
  });

  it('takes an imported dataset, and leaves no prepared data behind', async () => {
    await run(
      'data',
      'import',
      samples,
      '--name',
      'toy',
      '--into',
      join(folder, 'sets'),
      '--patient',
      'none',
    );
    const { code, err } = await predict(model.path, join(folder, 'sets', 'toy'), 'store.tsv');
    expect([code, err]).toEqual([0, '']);
    expect(table('store.tsv')).toEqual(table('all.tsv'));
    expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('replaces no file without --force, and needs the folder of the result', async () => {
    expect(await predict(model.path, samples, 'all.tsv')).toMatchObject({ code: 4 });
    const { code, err } = await predict(model.path, samples, join('none', 'a.tsv'));
    expect([code, err]).toEqual([4, expect.stringContaining('no folder can be made there')]);
  });

  const none = new Float64Array(0);
  const batches: FeatureSpecification['steps'][number] = {
    ...{ covariates: new Uint32Array(0), adjusted: new Uint32Array(0), meanOnly: false },
    ...{ step: 'batch-center', beta: none, intercept: none, variance: none },
  };
  it.each<[string, string, () => Promise<{ code: number; err: string }>]>([
    [
      'genes of another panel',
      'E_PANEL: swapped.tsv: 6 genes that are not those of the run',
      () => predict(model.path, writeTable(join(folder, 'swapped.tsv'), [1], [...GENES].reverse()), 'x.tsv'),
    ],
    [
      'weights that were changed',
      'E_DIGEST: ',
      () => {
        const { path } = writeModel(join(folder, 'changed'), softmaxRegression);
        writeFileSync(path, new Uint8Array(readFileSync(path)).fill(1, 0, 1));
        return predict(path, samples, 'x.tsv');
      },
    ],
    [
      'a description without its plan',
      'does not hold the plan\nnext: regulon model pull',
      () =>
        predict(
          writeModel(join(folder, 'old'), softmaxRegression, { change: { plan: undefined } }).path,
          samples,
          'x.tsv',
        ),
    ],
    [
      'a model that is none',
      'model.f32.json cannot be read',
      () => predict(join(folder, 'model.f32'), samples, 'x.tsv'),
    ],
    [
      'a preparation that corrects batches',
      'E_ARGUMENT: the preparation corrects batches',
      () =>
        predict(
          writeModel(join(folder, 'batches'), softmaxRegression, { more: [batches] }).path,
          samples,
          'x.tsv',
        ),
    ],
  ])('refuses %s', async (_name, expected, refused) => {
    const { code, err } = await refused();
    expect(code).not.toBe(0);
    expect(err).toContain(expected);
    expect(readdirSync(folder)).not.toContain('x.tsv');
  });
});
