import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan } from '../../plan/index.js';
import { toyPlan } from '../../plan/toy-plan.support.js';
import type { Cell } from '../label-rule.js';
import { emptySpecification } from '../specification.js';
import type { StatisticsOptions } from '../statistics-step.js';
import { selectUnits } from '../view.js';
import { countedTargets } from './counted-targets.js';
import { targetsOf } from './targets.js';
import { targetsStep } from './targets-step.js';

const dense = { type: 'dense', units: 'outputs' };
const plan = (survivalLoss: object = { type: 'cox' }, outputs = 1): Plan =>
  parsePlan(
    toyPlan(['a', 'b', 'c', 'd', 'e'], {
      ...{ task: 'heads', label: undefined },
      targets: [
        { head: 'relapse', kind: 'survival', time: 'months', event: "status == 'relapse'" },
        {
          ...{ head: 'subtype', kind: 'classes' },
          classes: ['x', 'y'].map((name) => ({ name, rule: `type == '${name}'` })),
        },
        { head: 'answers', kind: 'numbers', columns: ['p', 'q'] },
        { head: 'index', kind: 'numbers', columns: ['index'], center: 50, scale: 10 },
      ],
      model: {
        blocks: ['subtype', 'relapse', 'answers', 'index'].map((name) => ({
          ...{ name, from: 'features', layers: [dense] },
        })),
        heads: [
          { block: 'subtype', outputs: 2, loss: { type: 'cross-entropy' } },
          { block: 'relapse', outputs, loss: survivalLoss },
          { block: 'answers', outputs: 2, loss: { type: 'binary-cross-entropy' } },
          { block: 'index', loss: { type: 'huber' } },
        ],
      },
    }),
  );
const table = (columns: Record<string, readonly Cell[]>) => ({
  unitIds: (columns['type'] ?? []).map((_, i) => `P${i}`),
  columns: new Map(Object.entries(columns)),
});
const three = {
  type: ['x', 'y', null],
  months: [10, null, 30],
  status: ['relapse', 'relapse', 'well'],
  p: [1, 0, null],
  q: [0, 1, 1],
  index: [60, null, 45],
} satisfies Record<string, readonly Cell[]>;

describe('targets of several heads', () => {
  it('stand in the order of the model; an empty cell is missing for its head alone', () => {
    const { targets, strata } = targetsOf(table(three), plan());
    const expected = [
      [0, 10, 1, 1, 0, 1],
      [1, NaN, NaN, 0, 1, NaN],
      [-1, 30, 0, NaN, 1, -0.5],
    ];
    expect([...(targets ?? [])]).toEqual(expected.flat());
    expect([...(strata ?? [])]).toEqual([0, 1, -1]);
  });

  it('stay with their units', () => {
    const view = {
      n: 3,
      genes: 1,
      classes: 0,
      values: Float64Array.of(1, 2, 3),
      ...targetsOf(table(three), plan()),
    };
    expect([...(selectUnits(view, [2]).targets ?? [])]).toEqual([-1, 30, 0, NaN, 1, -0.5]);
  });

  it.each<[string, Record<string, readonly Cell[]>, string]>([
    ['a class that the plan does not know', { type: ['x', 'z', null] }, 'unit 2 matches no class'],
    ['a time that is text', { months: [10, 'soon', 30] }, 'unit 2: column months holds no number'],
    ['a negative time', { months: [10, -1, 30] }, 'unit 2: column months holds a negative time'],
    ['an answer that is none', { p: [1, 0, 2] }, 'unit 3: column p is neither 0 nor 1'],
  ])('are refused with %s', (_, change, rule) => {
    expect(() => targetsOf(table({ ...three, ...change }), plan())).toThrow(rule);
    expect(() => targetsOf(table({ ...three, ...change }), plan())).toThrow(
      expect.objectContaining({ code: 'E_LABEL' }),
    );
  });

  it('name a column that the label table lacks', () => {
    const { index: _, ...less } = three;
    expect(() => targetsOf(table(less), plan())).toThrow(
      'target of head index: the label table has no column index',
    );
  });
});

describe('the count of targets', () => {
  const options: StatisticsOptions = { genes: 1, classes: 0, weightCap: 100, fractionBits: 32, uMin: 4 };
  const specification = emptySpecification({ panelDigest: new Uint8Array(32), genes: 1 });
  /** Counts over five sites of 24 patients each, of whom site k misses what `gap` says. */
  const fit = (
    more: Partial<StatisticsOptions>,
    gap: (site: number, unit: number) => Record<string, Cell> = () => ({}),
    of = plan(),
  ): void => {
    const step = targetsStep(countedTargets(of), { ...options, ...more });
    const sums = new Float64Array(step.length(specification));
    for (let site = 0; site < 5; site++) {
      const rows = Array.from({ length: 24 }, (_, i) => ({
        ...{ type: i % 2 ? 'x' : 'y', months: 1 + i, status: i % 3 ? 'relapse' : 'well' },
        ...{ p: i % 2, q: (i >> 1) % 2, index: 50 + i, ...gap(site, i) },
      }));
      const columns = Object.fromEntries(
        Object.keys(three).map((key) => [key, rows.map((row) => row[key as keyof typeof row])]),
      );
      const folds = Int32Array.from(rows, (_, i) => (i >> 1) % 5);
      const view = { n: 24, genes: 1, classes: 0, values: new Float64Array(24), folds };
      const local = step.local({ ...view, ...targetsOf(table(columns), of) }, specification);
      local.forEach((x, k) => (sums[k] = (sums[k] ?? 0) + x));
    }
    expect(step.fit(specification, sums, 5)).toBe(specification);
  };

  it.each([{}, { hasHoldout: true }, { hasFolds: true }])(
    'passes where all are common enough: %j',
    (parts) => {
      expect(() => fit(parts)).not.toThrow();
    },
  );

  it('refuses a class that too few sites know, outside public runs', () => {
    const rare = (site: number): Record<string, Cell> => (site < 3 ? {} : { type: 'x' });
    expect(() => fit({}, rare)).toThrow(
      'class y of head subtype: at 3 sites; outside public runs at least 4',
    );
    expect(() => fit({ isPublic: true }, rare)).not.toThrow();
  });

  it('refuses a number that too few units have, in public runs, too', () => {
    const few = (site: number, unit: number): Record<string, Cell> =>
      unit < 1 && site < 4 ? {} : { index: null };
    expect(() => fit({ isPublic: true }, few)).toThrow('index of head index: fewer than 5 units');
  });

  it('refuses what is common in training, but not where it is held out', () => {
    const gap = (_: number, unit: number): Record<string, Cell> =>
      (unit >> 1) % 5 === 0 ? { months: null } : {};
    expect(() => fit({}, gap)).not.toThrow();
    expect(() => fit({ hasHoldout: true }, gap)).toThrow(
      'times of head relapse: fewer than 5 units in a part that is held out or trains',
    );
  });

  it('refuses an interval of time with fewer than five events', () => {
    const of = plan({ type: 'discrete-time', edges: [0.5, 12, 24] }, 3);
    expect(() => fit({ isPublic: true }, undefined, of)).toThrow(
      'events until 0.5 of head relapse: fewer than 5',
    );
    const other = plan({ type: 'discrete-time', edges: [8, 16, 24] }, 3);
    expect(() => fit({ hasHoldout: true }, undefined, other)).not.toThrow();
  });
});
