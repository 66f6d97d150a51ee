import { describe, expect, it } from '@jest/globals';
import { isRegulonError } from '../errors/index.js';
import { combinationOf, groupsOfPlan, toleratedGroups } from './combination.js';
import { parsePlan, planBytes } from './parse.js';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `site-${i}`);
const none = { num: 0, den: 1 };
const planOf = (count: number, secureAggregation: object, more: object = {}) => ({
  schema: 'regulon.plan/1',
  name: 'tiny',
  seed: 1,
  sites: names(count),
  dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'patient' },
  task: 'reconstruct',
  model: { blocks: [{ name: 'head', layers: [{ type: 'dense', units: 'outputs' }] }] },
  training: { rounds: 2, optimizer: { name: 'adam', learningRate: 1e-3 } },
  evaluation: { split: 'holdout' },
  secureAggregation,
  ...more,
});
const refusalOf = (...given: Parameters<typeof planOf>): string => {
  try {
    parsePlan(planOf(...given));
  } catch (error) {
    if (isRegulonError(error, 'E_PLAN')) return error.message;
    throw error;
  }
  return 'accepted';
};

describe('the rule that combines the groups of a plan', () => {
  it('is the mean where the plan names none, and the plan keeps its digest', () => {
    const plan = parsePlan(planOf(10, { gamma: none, subCohort: 5 }));
    expect(combinationOf(plan)).toEqual({ rule: 'mean', trim: 0, leastGroups: 1 });
    expect(Buffer.from(planBytes(plan)).toString()).not.toMatch(/combine|trim|tileFactor/);
  });

  it('needs three groups for a median, and as many for a trimmed mean as it leaves some over', () => {
    const median = { gamma: none, subCohort: 5, combine: 'median' };
    expect(refusalOf(15, median)).toBe('accepted');
    expect(refusalOf(14, median)).toMatch(
      /combine: median needs 3 groups, 14 sites make 2 of 5: at gamma 0\/1 at most 2 of 5 or more fit/,
    );
    const trimmed = { gamma: none, subCohort: 5, combine: 'trimmed-mean' };
    expect(refusalOf(14, trimmed)).toMatch(/trimmed-mean needs 3 groups/);
    expect(refusalOf(20, { ...trimmed, trim: 2 })).toMatch(/trimmed-mean needs 5 groups, 20 sites make 4/);
    expect(refusalOf(25, { ...trimmed, trim: 2 })).toBe('accepted');
  });

  it.each([20, 30, 50, 100, 200])(
    'finds only two groups of %i sites at gamma 1/3, and says that gamma is to be lower',
    (N) => {
      const size = Math.max(5, Math.floor(N / 3) + 4);
      const refusal = refusalOf(N, { subCohort: size, combine: 'median' });
      expect(refusal).toMatch(new RegExp(`median needs 3 groups, ${N} sites make 2 of ${size}`));
      expect(refusal).toMatch(/at gamma 1\/3 at most 2 of \d+ or more fit: lower gamma/);
    },
  );

  it('advises smaller groups where gamma allows them', () => {
    expect(refusalOf(30, { gamma: { num: 1, den: 10 }, subCohort: 12, combine: 'median' })).toMatch(
      /30 sites make 2 of 12: make subCohort 10 or less/,
    );
  });

  it.each<[string, string, Parameters<typeof planOf>]>([
    ['no groups', 'median compares groups: it needs subCohort', [15, { gamma: none, combine: 'median' }]],
    [
      'a trim of a median',
      'only a trimmed-mean',
      [15, { gamma: none, subCohort: 5, combine: 'median', trim: 1 }],
    ],
    ['a trim of the mean', 'only a trimmed-mean', [15, { gamma: none, subCohort: 5, trim: 1 }]],
    ['a trim of nothing', 'trim', [15, { gamma: none, subCohort: 5, combine: 'trimmed-mean', trim: 0 }]],
    ['an unknown rule', 'combine', [15, { gamma: none, subCohort: 5, combine: 'krum' }]],
  ])('refuses %s by name', (_, rule, given) => {
    expect(refusalOf(...given)).toContain(rule);
  });

  it('refuses heads whose blocks are divided by their own units', () => {
    const heads = {
      task: 'heads',
      targets: ['a', 'b'].map((head) => ({ head, kind: 'numbers', columns: [head] })),
      model: {
        blocks: ['a', 'b'].map((name) => ({
          name,
          from: 'features',
          layers: [{ type: 'dense', units: 'outputs' }],
        })),
        heads: ['a', 'b'].map((block) => ({ block, outputs: 1, loss: { type: 'squared-error' } })),
      },
    };
    const median = { gamma: none, subCohort: 5, combine: 'median' };
    expect(refusalOf(15, median, heads)).toMatch(/combine: heads that weigh by their own units/);
  });

  it.each([
    [3, 1],
    [4, 1],
    [5, 2],
    [20, 9],
  ])('survives of %i groups %i poisoned ones by the median, none by the mean', (groups, poisoned) => {
    expect(toleratedGroups({ rule: 'median', trim: 0, leastGroups: 3 }, groups)).toBe(poisoned);
    expect(toleratedGroups({ rule: 'trimmed-mean', trim: 1, leastGroups: 3 }, groups)).toBe(1);
    expect(toleratedGroups({ rule: 'mean', trim: 0, leastGroups: 1 }, groups)).toBe(0);
  });

  it('counts the groups of a plan: one without sub-cohorts', () => {
    expect(groupsOfPlan(parsePlan(planOf(14, { gamma: none, subCohort: 5 })))).toBe(2);
    expect(groupsOfPlan(parsePlan(planOf(14, { gamma: none })))).toBe(1);
  });
});
