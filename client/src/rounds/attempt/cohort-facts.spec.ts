import { describe, expect, it } from '@jest/globals';
import { Purpose } from '@regulon/shared/program';
import { testPlan } from '../../policy/site.support.js';
import { verifyGroups } from './cohort-facts.js';

const none = { num: 0, den: 1 };
const sites = Array.from({ length: 25 }, (_, i) => `site-${i}`);
const planOf = (secureAggregation: object) =>
  testPlan({ sites, secureAggregation: { weightCap: 64, gamma: none, subCohort: 5, ...secureAggregation } });
const groups = (count: number) => Array.from({ length: count });
const round = { round: 3, purpose: Purpose.train };

describe('the groups of U1 at a site', () => {
  it.each([
    [{ combine: 'median' }, 3],
    [{ combine: 'trimmed-mean', trim: 2 }, 5],
  ])('are as many as the rule of the plan compares, else the attempt is refused: %j', (rule, least) => {
    const few = () => verifyGroups(groups(least - 1), planOf(rule), round);
    expect(few).toThrow(expect.objectContaining({ code: 'E_COHORT' }));
    expect(() => verifyGroups(groups(least), planOf(rule), round)).not.toThrow();
  });

  it('may be any number where they are added up, and in rounds that have none', () => {
    expect(() => verifyGroups(groups(2), planOf({}), round)).not.toThrow();
    const statistics = { round: 0, purpose: Purpose.statistics };
    expect(() => verifyGroups(groups(1), planOf({ combine: 'median' }), statistics)).not.toThrow();
  });
});
