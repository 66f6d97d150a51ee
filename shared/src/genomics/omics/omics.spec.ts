import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan } from '../../plan/index.js';
import { toyPlan } from '../../plan/toy-plan.support.js';
import { emptySpecification, type FeatureSpecification } from '../specification.js';
import { statisticsSteps } from '../statistics-steps.js';
import { selectUnits, type UnitsView } from '../view.js';
import { omicRows, omicsOf } from './omics.js';

const dense = { type: 'dense', units: 'outputs' };
const change = {
  dataset: { name: 'toy', kind: 'omics', scale: 'log-ratio', unit: 'patient' },
  prepare: [{ step: 'z-score' }],
  model: {
    inputs: [
      { name: 'protein', shape: [2], mask: 'unit' },
      { name: 'rna', shape: [1], mask: 'unit' },
    ],
    blocks: [
      { name: 'a', from: 'protein', layers: [{ type: 'dense', units: 2 }] },
      { name: 'b', from: 'rna', layers: [{ type: 'dense', units: 2 }] },
      { name: 'joint', from: ['a', 'b'], merge: 'masked-mean', layers: [dense] },
    ],
  },
};
const plan = (more: object = {}): Plan =>
  parsePlan(toyPlan(['a', 'b', 'c', 'd', 'e'], { ...change, ...more }));

const table = (rows: readonly (readonly number[])[]) => ({
  unitIds: rows.map((_, i) => `P${i}`),
  genes: ['protein:X', 'rna:ESR1', 'protein:Y'],
  values: Float64Array.from(rows.flat()),
});
const viewOf = (rows: readonly (readonly number[])[]): UnitsView & { omics: readonly Uint32Array[] } => {
  const { values } = table(rows);
  const { omics = [] } = omicsOf(table(rows), plan());
  return { n: rows.length, genes: 3, classes: 0, values, omics };
};
/** Seven patients; protein is missing for one, RNA for two. */
const rows = [
  [1, 10, 5],
  [2, 20, 5],
  [3, NaN, 5],
  [4, NaN, 5],
  [NaN, 60, NaN],
  [5, 30, 5],
  [6, 40, 5],
];

describe('several omics', () => {
  it('are scaled over the units that have them, as if those were all; the row says what is there', () => {
    const view = viewOf(rows);
    const steps = statisticsSteps(plan().prepare, {
      ...{ genes: 3, classes: 0, weightCap: 100, fractionBits: 32, uMin: 0, minUnits: 5 },
      ...{ scale: 'log-ratio', hasGaps: true },
    });
    const sites = [selectUnits(view, [0, 2, 4]), selectUnits(view, [1, 3, 5, 6])];
    const fitted = steps.reduce<FeatureSpecification>(
      (spec, step) => {
        const sums = new Float64Array(step.length(spec));
        sites.forEach((site) => step.local(site, spec).forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x)));
        return step.fit(spec, sums, 2);
      },
      emptySpecification({ panelDigest: new Uint8Array(32), genes: 3 }),
    );
    const { features, shape } = omicRows(view, fitted);
    expect(shape).toEqual([7, 5]);
    const sdX = Math.sqrt([1, 2, 3, 4, 5, 6].reduce((sum, x) => sum + (x - 3.5) ** 2, 0) / 6);
    const sdR = Math.sqrt([10, 20, 60, 30, 40].reduce((sum, x) => sum + (x - 32) ** 2, 0) / 5);
    // a feature that is constant becomes zeros
    const expected = rows.map(([x = NaN, r = NaN]) => [
      ...(Number.isNaN(x) ? [0, 0, 0] : [(x - 3.5) / sdX, 0, 1]),
      ...(Number.isNaN(r) ? [0, 0] : [(r - 32) / sdR, 1]),
    ]);
    expected.flat().forEach((x, k) => expect(features[k]).toBeCloseTo(x, 5));
  });

  it.each<[string, readonly (readonly number[])[], string]>([
    ['a part of an omic', [[1, 2, NaN]], 'unit 1: 1 of 2 values of an omic are missing'],
    [
      'nothing at all',
      [
        [1, 2, 3],
        [NaN, NaN, NaN],
      ],
      'unit 2 has none of the omics',
    ],
  ])('refuse a unit with %s', (_, bad, rule) => {
    expect(() => viewOf(bad)).toThrow(rule);
  });

  it('refuse a panel of another number of features', () => {
    const less = { unitIds: ['P'], genes: ['protein:X', 'rna:ESR1'], values: Float64Array.of(1, 2) };
    expect(() => omicsOf(less, plan())).toThrow(
      'model.inputs[0]: protein takes 2 numbers, the panel has 1 features protein:…',
    );
  });

  it.each<[string, object, string]>([
    ['counts', { dataset: { ...change.dataset, scale: 'counts' } }, 'dataset.scale: omics are log-ratio'],
    ['another task', { task: 'reconstruct', label: undefined }, 'task: omics are read to classify'],
    [
      'a step over whole rows',
      { prepare: [{ step: 'top-variance', k: 2 }] },
      'prepare[0]: omics are prepared by z-score',
    ],
    [
      'no inputs',
      { model: { blocks: [{ name: 'a', layers: [dense] }] } },
      'model.inputs: omics need an input each',
    ],
    [
      'an input without a mask',
      { model: { ...change.model, inputs: [{ name: 'protein', shape: [2] }, change.model.inputs[1]] } },
      'model.inputs[0].mask: an omic may be missing: unit',
    ],
    [
      'masks of another dataset',
      { dataset: { ...change.dataset, kind: 'expression' } },
      'a dataset of expression brings no masks',
    ],
  ])('are refused in a plan with %s', (_, more, rule) => {
    expect(() => plan(more)).toThrow(rule);
  });
});
