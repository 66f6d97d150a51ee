import { describe, expect, it } from '@jest/globals';
import { type Plan, planHashOf } from '@regulon/shared/plan';
import { type ConsentEntry, digestText, Withdrawals } from '@regulon/shared/transparency';
import { objectorOf, refusalOf } from './consent.js';

const plan = { sites: ['a', 'b', 'c'], dataset: { name: 'd' } } as Plan;
const row = { plan: JSON.stringify(plan), plan_hash: planHashOf(plan) };
const planHash = digestText(row.plan_hash);
const said = (...words: [site: string, kind: string, body: object][]): Withdrawals => {
  const taken = new Withdrawals();
  for (const [id, kind, body] of words) taken.take({ kind, actor: { id }, body } as unknown as ConsentEntry);
  return taken;
};

describe('what stewards said against a run', () => {
  it('is told by site, to its plan before its dataset', () => {
    const taken = said(
      ['a', 'plan.reject', { planHash }],
      ['b', 'plan.withdraw', { planHash }],
      ['b', 'dataset.withdraw', { dataset: 'd', scope: 'commitment' }],
      ['c', 'dataset.withdraw', { dataset: 'd', scope: 'all' }],
    );
    const found = plan.sites.map((site) => refusalOf(row, site, plan.dataset.name, taken));
    expect(found).toEqual(['rejected', 'withdrawn', 'data withdrawn']);
    expect(objectorOf(row, taken)).toBe('a');
  });

  it('is nothing where it was about another plan or dataset, or was taken back by an approval', () => {
    const taken = said(
      ['a', 'plan.reject', { planHash: `sha256:${'11'.repeat(32)}` }],
      ['b', 'dataset.withdraw', { dataset: 'e', scope: 'all' }],
      ['c', 'plan.reject', { planHash }],
      ['c', 'plan.approve', { planHash }],
    );
    expect(plan.sites.map((site) => refusalOf(row, site, plan.dataset.name, taken))).toEqual([
      null,
      null,
      null,
    ]);
    expect(objectorOf(row, taken)).toBeUndefined();
  });
});
