import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { trainingExtras, weightOf } from './extras.js';

const SITES = ['a', 'b', 'c', 'd', 'e'];
const namesUnder = (secureAggregation: Readonly<Record<string, unknown>>): string[] =>
  trainingExtras(
    parsePlan(toyPlan(SITES, { secureAggregation: { weightCap: 64, ...secureAggregation } })),
  ).map(({ name }) => name);

describe('the extras of a training round', () => {
  it('hold the masked fault, and the number of clipped sites where the plan allows clipping', () => {
    expect(namesUnder({})).toEqual(['fault', 'loss', 'correct', 'count']);
    expect(namesUnder({ clip: 'allow' })).toEqual(['fault', 'clipped', 'loss', 'correct', 'count']);
  });

  it('never wrap the ring, whatever the sites send', () => {
    const plan = parsePlan(toyPlan(SITES, { secureAggregation: { weightCap: 2 ** 16 } }));
    for (const { scale, max } of trainingExtras(plan))
      expect(SITES.length * scale * max).toBeLessThan(2 ** 31);
  });
});

describe('the weight of a site', () => {
  it('is n over the cap, rounded down to a multiple of 2⁻²⁰, and never clamped', () => {
    expect(weightOf(3, 64)).toBe(3 / 64);
    expect(weightOf(1, 3)).toBe(Math.floor(2 ** 20 / 3) / 2 ** 20);
    expect(() => weightOf(65, 64)).toThrow(expect.objectContaining({ code: 'E_POLICY' }));
  });
});
