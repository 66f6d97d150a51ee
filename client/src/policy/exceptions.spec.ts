import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@regulon/shared/plan';
import { type BodyOf, digestText } from '@regulon/shared/transparency';
import { planHashOf } from '@regulon/shared/plan';
import { DAEMON_CODE } from '../version/index.js';
import { verifyAgreement } from './agreement.js';
import { verifyUnexpired } from './exceptions.js';
import {
  administrator,
  approvalBy,
  contractBytes,
  datasetBy,
  policyDigest,
  run,
  signedEntry,
  siteNames,
  statementsAbout,
  testFederation,
  testPlan,
  testSite,
} from './site.support.js';

const now = Date.parse('2026-11-21T00:00:00Z');
const federation = testFederation();
const [GRU, HMB, NCU] = ['DUO:0000042', 'DUO:0000006', 'DUO:0000046'] as const;
type Changes = NonNullable<Parameters<typeof testSite>[1]>;

/** Site 1 judges a run; @param terms of its dataset, in the log and in its configuration */
function judge(
  plan: Plan,
  { terms, entries = [], ...changes }: Changes & { terms?: string[]; entries?: Uint8Array[] } = {},
) {
  const dataset = terms ? { dataUse: terms } : {};
  const site = testSite(federation, { ...changes, dataset, said: dataset });
  const said = [...statementsAbout(plan, dataset), ...entries];
  return verifyAgreement(contractBytes(plan, { entries: said }), run, federation, site, now);
}
const refused = (why: string): object =>
  expect.objectContaining({ code: 'E_POLICY', message: expect.stringContaining(why) });

describe('the data-use terms of a site', () => {
  it('let a plan pass that declares a use within them', () => {
    expect(judge(testPlan()).exceptions).toEqual([]);
    expect(() => judge(testPlan({ dataUse: [GRU, NCU] }), { terms: [GRU, NCU] })).not.toThrow();
    const policy = { validUntil: '2036-01-01', code: [DAEMON_CODE] };
    expect(() => judge(testPlan(), { policy })).not.toThrow();
  });

  it.each<[string, Record<string, unknown>, Changes & { terms?: string[] }, string]>([
    ['of the dataset', {}, { terms: [GRU, NCU] }, 'dataUse: outside the terms of the dataset: DUO:0000046'],
    [
      'of another aim',
      {},
      { terms: [HMB] },
      'DUO:0000042 (general research) of the plan is outside DUO:0000006',
    ],
    ['with nothing declared', { dataUse: undefined }, {}, 'the plan declares no kind of research'],
    [
      'of the policy',
      {},
      { policy: { dataUse: [NCU] } },
      'dataUse: outside the policy of this site: DUO:0000046',
    ],
    [
      'of a policy that ends before its approval',
      {},
      { policy: { validUntil: '2030-12-31' } },
      'the policy ends at the end of 2030-12-31 UTC',
    ],
    [
      'of a policy that names other software',
      {},
      { policy: { code: [digestText(new Uint8Array(32))] } },
      `does not allow the software of this daemon, ${DAEMON_CODE}`,
    ],
    [
      'beyond their last day',
      {},
      { terms: [GRU, 'DUO:0000025=2030-12-31'] },
      'the data-use terms end at the end of 2030-12-31 UTC',
    ],
  ])('refuse by name a plan outside those %s', (_, changes, site, why) => {
    expect(() => judge(testPlan(changes), site)).toThrow(refused(why));
  });

  it('are needed for data of patients', () => {
    const plan = testPlan();
    const closed = { simulated: false, dataUse: [] };
    const view = testSite(testFederation('cosigned'), {
      dataset: closed,
      said: closed,
      policy: { leaveSiteOut: 'off' },
    });
    const bytes = contractBytes(plan, { entries: statementsAbout(plan, closed), isPublic: false });
    expect(() => verifyAgreement(bytes, run, testFederation('cosigned'), view, now)).toThrow(
      refused('no code that permits any research'),
    );
  });

  it('are those that the steward signed', () => {
    const plan = testPlan();
    const site = testSite(federation, { dataset: { dataUse: [GRU, NCU] }, said: { dataUse: [GRU, NCU] } });
    const both = testPlan({ dataUse: [GRU, NCU] });
    expect(() => verifyAgreement(contractBytes(both), run, federation, site, now)).toThrow(
      refused('another dataset toy than the one that is loaded (dataUse)'),
    );
    expect(() => verifyAgreement(contractBytes(plan), run, federation, site, now)).toThrow(
      refused('DUO:0000046'),
    );
  });
});

const outside = { policy: { purposes: ['quality'] } };
const plan = testPlan();
function override(change: Partial<BodyOf<'policy.override'>> = {}, signers = [1], by = 1): Uint8Array {
  const body = {
    ...{ policy: policyDigest, rule: 'purposes', planHash: digestText(planHashOf(plan)) },
    ...{ justification: 'agreed by the board', expires: '2026-12-01T00:00:00.000Z', ...change },
  };
  return signedEntry('policy.override', 'steward', by, body, {}, signers.map(administrator));
}

describe('an exception from the policy', () => {
  it('by two persons of the site lets the plan pass, and is named in the agreement', () => {
    expect(() => judge(plan, outside)).toThrow(refused('purpose: the policy of this site does not allow it'));
    const { exceptions } = judge(plan, { ...outside, entries: [override()] });
    expect(exceptions.map(({ site, body }) => [site, body.rule])).toEqual([['a', 'purposes']]);
    for (const [rule, policy] of [
      ['dataUse', { dataUse: [NCU] }],
      ['plans', { plans: [`sha256:${'00'.repeat(32)}`] }],
      ['maxRounds', { maxRounds: 1 }],
    ] as const) {
      expect(() => judge(plan, { policy })).toThrow(refused(''));
      expect(judge(plan, { policy, entries: [override({ rule })] }).exceptions).toHaveLength(1);
    }
  });

  it('that the plan does not need is no part of the agreement', () => {
    expect(judge(plan, { entries: [override()] }).exceptions).toEqual([]);
  });

  it.each<[string, Uint8Array]>([
    ['one person', override({}, [])],
    ['the administrator of another site', override({}, [2])],
    ['another site', override({}, [2], 2)],
    ['nobody who gives a reason', override({ justification: '\n' })],
    ['two persons for another plan', override({ planHash: `sha256:${'00'.repeat(32)}` })],
    ['two persons from another policy', override({ policy: `sha256:${'00'.repeat(32)}` })],
    ['two persons from another rule', override({ rule: 'maxRounds' })],
    ['two persons until yesterday', override({ expires: '2026-11-20T23:59:59.999Z' })],
  ])('by %s does not help', (_, entry) => {
    expect(() => judge(plan, { ...outside, entries: [entry] })).toThrow(refused('purpose: '));
  });

  it('never excepts from the terms of a dataset', () => {
    const entries = [override({ rule: 'dataUse' })];
    expect(() => judge(plan, { terms: [GRU, NCU], entries })).toThrow(
      refused('outside the terms of the dataset'),
    );
  });

  it('and an approval end with their day, also in the middle of a run', () => {
    const agreement = judge(plan, { ...outside, entries: [override()] });
    const at = (time: string) => () => verifyUnexpired(run, agreement, Date.parse(time));
    expect(at('2026-11-30T23:59:59.999Z')).not.toThrow();
    expect(at('2026-12-01T00:00:00.001Z')).toThrow(refused('the exception from purposes expired'));
    expect(at('2036-01-01T00:00:00.001Z')).toThrow(refused('the approval of this site expired'));
  });
});

describe('a policy that asks for two persons', () => {
  const asks = testSite(federation, { policy: { reviewersNeeded: 2 } });
  const ids = siteNames.map((_, i) => i + 1);
  const check = (own: Uint8Array[]) => {
    const others = ids.slice(1).map((id) => approvalBy(id, plan));
    const entries = [...own, ...others, ...ids.map((id) => datasetBy(id))];
    return () => verifyAgreement(contractBytes(plan, { entries }), run, federation, asks, now);
  };

  it('takes an approval of both, and none of the steward alone or with a stranger', () => {
    expect(check([approvalBy(1, plan, {}, [administrator(1)])])).not.toThrow();
    for (const seconds of [[], [administrator(2)]])
      expect(check([approvalBy(1, plan, {}, seconds)])).toThrow(refused('the signatures of 2 persons'));
  });

  it('does not take the terms of one approval and the signatures of another', () => {
    const other = approvalBy(1, plan, { datasetVersion: 2 }, [administrator(1)]);
    expect(check([approvalBy(1, plan), other])).toThrow(refused('is not for version 1 of toy'));
  });
});
