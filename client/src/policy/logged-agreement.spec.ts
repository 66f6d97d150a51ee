import { describe, expect, it } from '@jest/globals';
import { type BodyOf, type ConsentEntry, digestText, Withdrawals } from '@regulon/shared/transparency';
import { verifyAgreement } from './agreement.js';
import { type LoggedStatements, verifyLoggedAgreement } from './logged-agreement.js';
import { contractBytes, run, testFederation, testPlan, testSite } from './site.support.js';

const federation = testFederation();
const now = Date.parse('2026-11-21T00:00:00Z');
const agreement = verifyAgreement(contractBytes(testPlan()), run, federation, testSite(federation), now);
const start: BodyOf<'run.start'> = {
  planHash: digestText(agreement.contract.planHash),
  ...{ proposal: 1, approvals: [2, 3, 4, 5, 6], sites: [1, 2, 3, 4, 5], public: true },
  ...{ initialModel: null, featureSpecification: null },
};
const commits = new Map(agreement.datasets.map(({ site, body }) => [site, body]));
const log = (
  starts: object[],
  changed: ReadonlyMap<string, object | undefined> = new Map(),
  taken = new Withdrawals(),
  overrides: readonly BodyOf<'policy.override'>[] = [],
): LoggedStatements => ({
  startsOf: (name) => (name === run ? (starts as BodyOf<'run.start'>[]) : []),
  withdrawals: () => taken,
  overridesOf: (site) => (site === 'a' ? overrides : []),
  latestCommit: (site, dataset) => {
    const body = changed.has(site) ? changed.get(site) : commits.get(site);
    return dataset === 'toy' ? (body as BodyOf<'dataset.commit'> | undefined) : undefined;
  },
});
const check = (logged: LoggedStatements) => () => verifyLoggedAgreement(run, agreement, logged);
const refused = (what: RegExp): object =>
  expect.objectContaining({ code: 'E_POLICY', message: expect.stringMatching(what) as unknown });

describe('what the verified log says of a run', () => {
  it('must be what was agreed on', () => {
    expect(check(log([start]))).not.toThrow();
  });

  it.each<[string, object]>([
    ['plan', { planHash: `sha256:${'00'.repeat(32)}` }],
    ['sites', { sites: [1, 2, 3, 4] }],
    ['public', { public: false }],
  ])('may not start the run with another %s', (_, change) => {
    expect(check(log([{ ...start, ...change }]))).toThrow(refused(/another plan, other sites or other data/));
  });

  it('starts the run, and once', () => {
    expect(check(log([]))).toThrow(refused(/nowhere/));
    expect(check(log([start, start]))).toThrow(refused(/more than once/));
  });

  it.each<[string, object]>([
    [
      'withdrawn dataset toy',
      { kind: 'dataset.withdraw', body: { dataset: 'toy', scope: 'all', reason: 'other' } },
    ],
    ['withdrawn the plan', { kind: 'plan.withdraw', body: { planHash: start.planHash, reason: 'other' } }],
    ['rejected the plan', { kind: 'plan.reject', body: { planHash: start.planHash, reason: 'other' } }],
  ])('has no word of a steward that takes back what was agreed on: %s', (what, entry) => {
    const taken = new Withdrawals();
    taken.take({ ...entry, actor: { type: 'steward', id: 'b', key: '' } } as ConsentEntry);
    expect(check(log([start], new Map(), taken))).toThrow(refused(new RegExp(`steward of b has ${what}`)));
  });

  it('has no newer commitment than the one that the coordinator showed, least of all one that is not public', () => {
    const body = { ...commits.get('c') };
    expect(check(log([start], new Map([['c', { ...body, simulated: false }]])))).toThrow(
      refused(/site c has committed to another version of dataset toy/),
    );
    expect(check(log([start], new Map([['c', { ...body, version: 2 }]])))).toThrow(
      refused(/another version/),
    );
    expect(check(log([start], new Map([['c', undefined]])))).toThrow(refused(/has not committed/));
  });

  it('has the exceptions from the policy of this site that the plan needs', () => {
    const body: BodyOf<'policy.override'> = {
      ...{ policy: start.planHash, rule: 'purposes', planHash: start.planHash },
      ...{ justification: 'agreed', expires: '2027-01-01T00:00:00.000Z' },
    };
    const excepted = { ...agreement, exceptions: [{ site: 'a', body }] };
    const logged = (...overrides: BodyOf<'policy.override'>[]) =>
      log([start], new Map(), new Withdrawals(), overrides);
    expect(() => verifyLoggedAgreement(run, excepted, logged(body))).not.toThrow();
    for (const shown of [[], [{ ...body, expires: '2028-01-01T00:00:00.000Z' }]])
      expect(() => verifyLoggedAgreement(run, excepted, logged(...shown))).toThrow(
        refused(/no exception from purposes of the policy of a/),
      );
  });
});
