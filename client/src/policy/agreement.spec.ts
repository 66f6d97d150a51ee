import { describe, expect, it } from '@jest/globals';
import { verifyAgreement } from './agreement.js';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  run,
  siteNames,
  testFederation,
  testPlan,
  testSite,
} from './site.support.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const federation = testFederation();
const site = testSite(federation);
const ids = siteNames.map((_, i) => i + 1);
const check = (bytes: Uint8Array, view = site) => verifyAgreement(bytes, run, federation, view, now);
const code = (expected: string): object => expect.objectContaining({ code: expected });

describe('what a site checks before a run', () => {
  it('takes part when every steward has approved and every dataset is committed', () => {
    const { contract, approval, uncounted } = check(contractBytes(testPlan()));
    expect(contract.isPublic).toBe(true);
    expect(approval.dataset).toBe('toy');
    expect(uncounted).toEqual([]);
  });

  it('refuses a run after a membership of the roster has ended', () => {
    const late = Date.parse('2036-01-01T00:00:00Z');
    const bytes = contractBytes(testPlan());
    expect(() => verifyAgreement(bytes, run, federation, site, late)).toThrow(code('E_ROSTER'));
  });

  it('refuses a plan that one steward has not approved, or whose approval has expired', () => {
    const plan = testPlan();
    const data = ids.map((id) => datasetBy(id));
    const some = ids.filter((id) => id !== 4).map((id) => approvalBy(id, plan));
    expect(() => check(contractBytes(plan, { entries: [...data, ...some] }))).toThrow(
      /steward of d is missing/,
    );
    const old = approvalBy(4, plan, { validUntil: '2026-01-01T00:00:00.000Z' });
    expect(() => check(contractBytes(plan, { entries: [...data, ...some, old] }))).toThrow(/d has expired/);
  });

  it('refuses an approval of another plan under the same name', () => {
    const entries = ids.flatMap((id) => [approvalBy(id, testPlan({ seed: 4 })), datasetBy(id)]);
    expect(() => check(contractBytes(testPlan(), { entries }))).toThrow(code('E_POLICY'));
  });

  it('refuses an approval that the steward did not sign', () => {
    const plan = testPlan();
    const forged = approvalBy(2, plan);
    const text = Buffer.from(forged).toString('utf8').replaceAll('"id":"b"', '"id":"c"');
    const entries = [...ids.map((id) => datasetBy(id)), Uint8Array.from(Buffer.from(text))];
    expect(() => check(contractBytes(plan, { entries }))).toThrow(code('E_LOG_ENTRY'));
  });

  it('refuses to believe the coordinator that a dataset is public', () => {
    const plan = testPlan();
    const entries = ids.flatMap((id) => [approvalBy(id, plan), datasetBy(id, { simulated: id !== 5 })]);
    expect(() => check(contractBytes(plan, { entries }))).toThrow(/do not say that every dataset is public/);
    expect(check(contractBytes(plan, { entries, isPublic: false })).uncounted).toEqual([1, 2, 3, 4]);
  });

  it('names the site whose gene panel differs', () => {
    const plan = testPlan();
    const other = { panel: { digest: `sha256:${'ab'.repeat(32)}`, size: 12 } };
    const entries = ids.flatMap((id) => [approvalBy(id, plan), datasetBy(id, id === 3 ? other : {})]);
    expect(() => check(contractBytes(plan, { entries }))).toThrow(/gene panel of site c/);
    const swapped = ['G1', 'G0', ...Array.from({ length: 10 }, (_, i) => `G${i + 2}`)];
    expect(() => check(contractBytes(plan), testSite(federation, { panel: swapped }))).toThrow(
      code('E_PANEL'),
    );
  });

  it('refuses, in gate mode signed, data that are neither public nor simulated', () => {
    const closed = testSite(federation, { dataset: { simulated: false } });
    expect(() => check(contractBytes(testPlan()), closed)).toThrow(/neither public nor simulated/);
  });

  const policyCases: [string, object, object][] = [
    ['purpose', {}, { purposes: ['quality'] }],
    ['secureAggregation.nMin', {}, { nMin: 6 }],
    ['secureAggregation.gamma', {}, { gamma: { num: 2, den: 5 } }],
    ['training.rounds', {}, { maxRounds: 2 }],
    ['(whole plan)', {}, { plans: [`sha256:${'00'.repeat(32)}`] }],
    ['evaluation.split', { evaluation: { split: 'leave-site-out' } }, { leaveSiteOut: 'off' }],
    ['dataset.unit', { dataset: { name: 'toy', kind: 'expression', scale: 'counts', unit: 'library' } }, {}],
  ];
  it.each(policyCases)('refuses by policy and names %s', (key, planChanges, policy) => {
    const view = testSite(federation, { policy });
    const checked = () => check(contractBytes(testPlan({ ...planChanges })), view);
    expect(checked).toThrow(code('E_POLICY'));
    expect(checked).toThrow(key);
  });

  it('says nothing of the number of units when the weight cap is too small', () => {
    const small = testSite(federation, { units: 65 });
    expect(() => check(contractBytes(testPlan()), small)).toThrow(/weightCap: it does not fit this site$/);
  });
});
