import { describe, expect, it } from '@jest/globals';
import type { UnitsView } from '@regulon/shared/genomics';
import { parsePlan } from '@regulon/shared/plan';
import { toyPlan } from '../../../shared/src/plan/toy-plan.support.js';
import { verifyPatterns } from './verify-patterns.js';

const SITES = ['a', 'b', 'c', 'd', 'e'];
const dense = (units: number) => ({ layers: [{ type: 'dense', units }] });
const classesOf = (head: string) => ({
  head,
  kind: 'classes',
  classes: ['x', 'y'].map((name) => ({ name, rule: `${head} == '${name}'` })),
});
const plan = parsePlan(
  toyPlan(SITES, {
    ...{ task: 'heads', label: undefined },
    targets: [classesOf('first'), classesOf('second'), { head: 'age', kind: 'numbers', columns: ['age'] }],
    model: {
      blocks: [
        { name: 'trunk', ...dense(3) },
        ...['first', 'second'].map((name) => ({ name, from: 'trunk', ...dense(2) })),
        { name: 'age', from: 'trunk', ...dense(1) },
      ],
      heads: [
        ...['first', 'second'].map((block) => ({ block, outputs: 2, loss: { type: 'cross-entropy' } })),
        { block: 'age', loss: { type: 'squared-error' } },
      ],
    },
  }),
);

/** 24 units with the targets that a function says; −1 and NaN = missing. */
const view = (of: (unit: number) => readonly [number, number, number], patients?: readonly number[]) => ({
  ...{ n: 24, genes: 1, classes: 0, values: new Float64Array(24) },
  targets: Float64Array.from(Array.from({ length: 24 }, (_, unit) => of(unit)).flat()),
  ...(patients && { patients: Int32Array.from(patients) }),
});
const check = (units: UnitsView) => (): void => verifyPatterns(() => units, plan, 5);

describe('patients whom several heads tell apart', () => {
  it('are five or more of each pattern', () => {
    expect(check(view((unit) => [unit % 2, unit < 12 ? 0 : 1, 40]))).not.toThrow();
    expect(check(view((unit) => [unit % 2, unit < 12 ? 0 : -1, unit < 12 ? NaN : 40]))).not.toThrow();
  });

  it('are refused when 1 to 4 stand alone by their classes, though each class is large', () => {
    // second = first in all but one patient: what the heads tell subtracts to that patient
    const twin = view((unit) => [unit % 2, unit === 3 ? 0 : unit % 2, 40]);
    expect(check(twin)).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
    expect(check(view((unit) => [unit % 2, unit < 4 ? 1 : 0, 40]))).toThrow(/patients of this site share/);
  });

  it('are refused when 1 to 4 lack what the others have, whatever the scale of a number', () => {
    expect(check(view((unit) => [unit % 2, unit % 2, unit < 4 ? NaN : 40]))).toThrow(/share what heads/);
    expect(check(view((unit) => [unit % 2, unit === 0 ? -1 : unit % 2, 40]))).toThrow(/share what heads/);
  });

  it('may be few where they are a class: that has a minimum over all sites', () => {
    expect(check(view((unit) => [unit < 2 ? 1 : 0, unit < 2 ? 1 : 0, 40]))).not.toThrow();
  });

  it('are counted by patients, not by their units', () => {
    const eight = (unit: number): [number, number, number] => [
      unit < 8 ? 0 : 1,
      unit < 8 ? 0 : 1,
      unit < 8 ? NaN : 40,
    ];
    expect(check(view(eight))).not.toThrow();
    const mixed = (unit: number): [number, number, number] => [unit % 2, unit % 2, unit < 10 ? NaN : 40];
    const halves = Array.from({ length: 24 }, (_, unit) => unit >> 2);
    expect(check(view(mixed))).not.toThrow();
    expect(check(view(mixed, halves))).toThrow(/fewer than 5 patients/);
  });

  it('are told apart by the columns of one head too, and by what a part of them lacks', () => {
    const target = { head: 'panel', kind: 'numbers', columns: ['a', 'b'] };
    const one = parsePlan(
      toyPlan(SITES, {
        ...{ task: 'heads', label: undefined, targets: [target] },
        model: {
          blocks: [{ name: 'panel', ...dense(2) }],
          heads: [{ block: 'panel', outputs: 2, loss: { type: 'squared-error' } }],
        },
      }),
    );
    const of = (lacking: number): UnitsView => ({
      ...{ n: 24, genes: 1, classes: 0, values: new Float64Array(24) },
      targets: Float64Array.from(Array.from({ length: 24 }, (_, u) => [u, u < lacking ? NaN : u]).flat()),
    });
    expect(() => verifyPatterns(() => of(0), one, 5)).not.toThrow();
    expect(() => verifyPatterns(() => of(5), one, 5)).not.toThrow();
    expect(() => verifyPatterns(() => of(1), one, 5)).toThrow(expect.objectContaining({ code: 'E_UNITS' }));
  });

  it('are told apart by omics; classes alone are not asked about', () => {
    const never = (): UnitsView => {
      throw new Error('its units were asked for');
    };
    expect(() => verifyPatterns(never, parsePlan(toyPlan(SITES)), 5)).not.toThrow();
    const inputs = ['rna', 'protein'].map((name) => ({ name, shape: [1], mask: 'unit' }));
    const joint = { name: 'joint', from: ['rna', 'protein'], merge: 'masked-mean', layers: [] };
    const omics = parsePlan(
      toyPlan(SITES, {
        dataset: { name: 'toy', kind: 'omics', scale: 'log-ratio', unit: 'patient' },
        prepare: [{ step: 'z-score' }],
        model: { inputs, blocks: [joint, { name: 'head', ...dense(1) }] },
      }),
    );
    const lacking = (count: number): UnitsView => ({
      ...{ n: 24, genes: 2, classes: 0, omics: [Uint32Array.of(0), Uint32Array.of(1)] },
      values: Float64Array.from(Array.from({ length: 24 }, (_, u) => [1, u < count ? NaN : 1]).flat()),
    });
    expect(() => verifyPatterns(() => lacking(5), omics, 5)).not.toThrow();
    expect(() => verifyPatterns(() => lacking(4), omics, 5)).toThrow(/patients of this site share/);
  });
});
