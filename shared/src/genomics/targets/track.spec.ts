import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan } from '../../plan/index.js';
import { toyPlan } from '../../plan/toy-plan.support.js';
import type { Cell } from '../label-rule.js';
import { countedTargets } from './counted-targets.js';
import { targetsOf } from './targets.js';

const planOf = (track: object, loss: object = { type: 'cross-entropy' }, more: object = {}): unknown =>
  toyPlan(['a', 'b', 'c', 'd', 'e'], {
    ...{ task: 'heads', label: undefined, prepare: [] },
    dataset: { name: 'toy', kind: 'sequences', scale: 'bases', unit: 'sequence' },
    targets: [{ head: 'coding', kind: 'track', columnsPrefix: 'base_', length: 3, ...track }],
    model: {
      blocks: [
        {
          name: 'coding',
          layers: [{ type: 'conv1d', filters: 'classes' in track ? 2 : 1, kernel: 3, padding: 'same' }],
        },
      ],
      heads: [{ block: 'coding', outputs: 'classes' in track ? 2 : 1, loss }],
    },
    ...more,
  });
const classes = { classes: ['outside', 'coding'] };
const plan = (track: object = classes, loss?: object): Plan => parsePlan(planOf(track, loss));
const table = (columns: Record<string, readonly Cell[]>) => ({
  unitIds: ['S1', 'S2'],
  columns: new Map(Object.entries(columns)),
});
const two = { base_1: [0, 1], base_2: [1, null], base_3: [1, 0] };

describe('a label for every base', () => {
  it('is read column by column, in the order of the bases; an empty cell is a missing label', () => {
    const reversed = { base_3: two.base_3, base_2: two.base_2, base_1: two.base_1 };
    expect([...(targetsOf(table(reversed), plan()).targets ?? [])]).toEqual([0, 1, 1, 1, -1, 0]);
  });

  it('is a number where the plan names no classes', () => {
    const numbers = { base_1: [0.5, -1], base_2: [2, null], base_3: [0, 3] };
    const { targets } = targetsOf(table(numbers), plan({}, { type: 'squared-error' }));
    expect([...(targets ?? [])]).toEqual([0.5, 2, 0, -1, NaN, 3]);
  });

  it('counts a sequence for each class that one of its bases has', () => {
    const counted = countedTargets(plan());
    expect(counted.map(({ name }) => name)).toEqual([
      'class outside of head coding',
      'class coding of head coding',
    ]);
    expect(counted.map(({ counts }) => counts([1, 1, -1]))).toEqual([false, true]);
  });

  const { base_3: _, ...short } = two;
  it.each<[string, Record<string, readonly Cell[]>, string]>([
    ['a base without a column', short, 'target of head coding: the label table has no column base_3'],
    [
      'more bases than the plan',
      { ...two, base_4: [0, 0] },
      'the label table has a column base_4, the plan 3',
    ],
    ['text', { ...two, base_2: [1, 'exon'] }, 'unit 2: column base_2 holds no number'],
    ['a number that is no class', { ...two, base_2: [1, 2] }, 'unit 2: column base_2 is no class, 0 … 1'],
    ['half a class', { ...two, base_2: [0.5, 1] }, 'unit 1: column base_2 is no class'],
  ])('is refused with %s', (_name, columns, message) => {
    const read = () => targetsOf(table(columns), plan());
    expect(read).toThrow(message);
    expect(read).toThrow(expect.objectContaining({ code: 'E_LABEL' }));
  });

  it('is refused with an answer that is none, and a negative count', () => {
    const of = (type: string, value: number) => () =>
      targetsOf(table({ ...two, base_1: [value, 1] }), plan({}, { type }));
    expect(of('binary-cross-entropy', 2)).toThrow('unit 1: column base_1 is neither 0 nor 1');
    expect(of('poisson', -1)).toThrow('unit 1: column base_1 is negative');
  });
});

describe('a plan with a label for every base', () => {
  it.each<[string, () => unknown, string]>([
    [
      'another dataset',
      () =>
        planOf(classes, undefined, {
          dataset: { name: 't', kind: 'expression', scale: 'counts', unit: 'patient' },
        }),
      'head coding: only sequences have a label for every base',
    ],
    [
      'classes learnt as numbers',
      () => planOf(classes, { type: 'huber' }),
      'track are learnt by cross-entropy',
    ],
    [
      'numbers learnt as classes',
      () => planOf({}, { type: 'cross-entropy' }),
      'track are learnt by squared-error',
    ],
  ])('is refused with %s', (_, text, message) => {
    expect(() => parsePlan(text())).toThrow(message);
  });
});
