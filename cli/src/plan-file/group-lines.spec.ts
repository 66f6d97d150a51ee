import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '@regulon/shared/plan';
import { toyPlan } from '../../../shared/src/plan/toy-plan.support.js';
import { groupLines } from './group-lines.js';

const sites = Array.from({ length: 20 }, (_, i) => `site-${i}`);
const linesOf = (secureAggregation: object): string =>
  groupLines(
    parsePlan(toyPlan(sites, { secureAggregation: { gamma: { num: 0, den: 1 }, ...secureAggregation } })),
  ).join('\n');

describe('what people read of the groups of a plan', () => {
  it('is nothing where all sites are summed at once', () => {
    expect(linesOf({})).toBe('');
  });

  it('says who sees what, and that a mean withstands no poisoned site', () => {
    expect(linesOf({ subCohort: 5 })).toMatch(/4 groups of 5 sites .* see the sum of each group/);
    expect(linesOf({ subCohort: 5 })).toMatch(/one poisoned site can own the model/);
  });

  it('names the rule, what it withstands, and gamma', () => {
    expect(linesOf({ subCohort: 5, combine: 'median' })).toMatch(
      /the median of their means .* withstands 1 poisoned of 4 groups, .* at gamma 0\/1/,
    );
    expect(linesOf({ subCohort: 5, combine: 'trimmed-mean' })).toMatch(/the trimmed-mean .* 1 poisoned of 4/);
  });
});
