import { describe, expect, it } from '@jest/globals';
import { manifestOf } from '../models/index.js';
import { parsePlan, type Plan } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { headExtra, weightOf } from './extras.js';
import { headRanges } from './head-blocks.js';
import { fedAvgStep } from './server-step.js';

const CAP = 64;
const dense = (units: number | string) => ({ type: 'dense', units });
const block = (name: string, from: string, ...units: (number | string)[]) => ({
  ...{ name, from, layers: units.map(dense) },
});
const blocks = [
  block('trunk', 'features', 2),
  block('path', 'trunk', 3),
  block('subtype', 'path', 'outputs'),
  block('grading', 'trunk', 1),
];
const planOf = (more: object = {}): Plan =>
  parsePlan(
    toyPlan(['a', 'b', 'c', 'd', 'e'], {
      ...{ task: 'heads', label: undefined, prepare: [{ step: 'log2' }] },
      targets: [
        { head: 'subtype', kind: 'classes', classes: ['x', 'y'].map((name) => ({ name, rule: name })) },
        { head: 'grading', kind: 'numbers', columns: ['index'] },
      ],
      model: {
        blocks,
        heads: [
          { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
          { block: 'grading', loss: { type: 'squared-error' } },
        ],
      },
      secureAggregation: { weightCap: CAP },
      ...more,
    }),
  );
const specsOf = (plan: Plan) => manifestOf(plan.model, { inputShape: [4], outputs: 1 });
/** Units of each site, and those with a target of each head. */
const SITES = [
  { units: 40, subtype: 40, grading: 10 },
  { units: 24, subtype: 12, grading: 0 },
  { units: 64, subtype: 60, grading: 64 },
];
const total = (what: 'units' | 'subtype' | 'grading'): number =>
  SITES.reduce((sum, site) => sum + site[what], 0);
const extras = {
  [headExtra('units', 'subtype')]: total('subtype'),
  [headExtra('units', 'grading')]: total('grading'),
};

describe('blocks that only one head reads', () => {
  it('are averaged by the units with its target, all others by units', () => {
    const plan = planOf();
    const specs = specsOf(plan);
    const d = specs.reduce((n, { size }) => n + size, 0);
    const [Q, C] = [2 ** 20, 100];
    const updateOf = (site: number, k: number): number => Math.sin(site + 3 * k);
    const headOf = { trunk: 'units', path: 'subtype', subtype: 'subtype', grading: 'grading' } as const;
    const sum = new Int32Array(d);
    const expected = new Float64Array(d);
    for (const { offset, size, block: name } of specs) {
      const head = headOf[name as keyof typeof headOf];
      for (let k = offset; k < offset + size; k++) {
        SITES.forEach((site, s) => {
          const share = site[head] / site.units;
          sum[k]! += Math.round(((updateOf(s, k) * share * weightOf(site.units, CAP)) / C) * Q);
          expected[k]! += (site[head] * updateOf(s, k)) / total(head);
        });
      }
    }
    const owned = headRanges(plan, specs, extras);
    expect(owned.map(({ block: name }) => name)).toEqual(['path', 'subtype', 'grading']);
    const out = new Float32Array(d);
    fedAvgStep({ weight: total('units') / CAP, Q, C, owned }).tile(new Float32Array(d), [sum], out, 0);
    out.forEach((value, k) => expect(Math.abs(value - (expected[k] ?? NaN))).toBeLessThan(2e-3));
  });

  it('stay as they are in a round in which no unit has the target', () => {
    const plan = planOf();
    const specs = specsOf(plan);
    const owned = headRanges(plan, specs, { ...extras, [headExtra('units', 'grading')]: 0 });
    const own = specs.filter((spec) => spec.block === 'grading');
    const global = new Float32Array(specs.reduce((n, { size }) => n + size, 0)).fill(7);
    const sum = new Int32Array(global.length).fill(1000);
    fedAvgStep({ weight: 1, Q: 2 ** 20, C: 100, owned }).tile(global, [sum], global, 0);
    own.forEach(({ offset, size }) =>
      expect([...global.subarray(offset, offset + size)]).toEqual(Array<number>(size).fill(7)),
    );
    expect(global[0]).toBeGreaterThan(7);
  });

  it('weigh as their units do in FedSGD, which is pooled descent only so, and in plans of one target', () => {
    const sgd = planOf({
      training: { rounds: 3, strategy: 'fed-sgd', optimizer: { name: 'sgd', learningRate: 0.1 } },
    });
    expect(headRanges(sgd, specsOf(sgd), extras)).toEqual([]);
    const classes = parsePlan(toyPlan(['a', 'b', 'c', 'd', 'e']));
    expect(headRanges(classes, specsOf(classes), extras)).toEqual([]);
  });
});
