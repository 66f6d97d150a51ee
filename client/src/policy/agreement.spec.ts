import { describe, expect, it } from '@jest/globals';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { panelDigest, SERIES_PANEL } from '@regulon/shared/genomics';
import type { Plan } from '@regulon/shared/plan';
import { contractOf } from '@regulon/shared/program';
import {
  digestText,
  type EntryDraft,
  openEntry,
  parseEntry,
  sealEntry,
  statementKeyName,
  verifyGenesisOfRoster,
} from '@regulon/shared/transparency';
import { uncountedOf, verifyAgreement } from './agreement.js';
import { verifyRunOpen } from './open-data.js';
import { verifyPlanAllowed } from './plan-rules.js';
import {
  approvalBy,
  contractBytes,
  datasetBy,
  genes,
  genesisDraft,
  run,
  seedOf,
  seriesPlan,
  signedRoster,
  siteNames,
  statementsAbout,
  testFederation,
  testPlan,
  testSite,
} from './site.support.js';
import { commitmentOf, verifySameData } from './steward-statements.js';

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

  it('takes what a steward said before a key was exchanged, but no approval under the old key', () => {
    const roster = {
      ...federation.roster,
      members: federation.roster.members.map((member) =>
        member.id === 3 ? { ...member, stewardKey: hex(publicKeyOf(seedOf('fresh', 3))) } : member,
      ),
    };
    const { keys } = verifyGenesisOfRoster(genesisDraft(roster), signedRoster(roster));
    const later = { ...federation, keys, versions: [federation.keys, keys] };
    const judge = (entries: Uint8Array[], known = later) =>
      verifyAgreement(contractBytes(testPlan(), { entries }), run, known, site, now);
    const entries = statementsAbout(testPlan());
    expect(() => judge(entries)).toThrow(code('E_LOG_ENTRY'));
    const again = entries.map((bytes) => {
      const entry = parseEntry(bytes);
      if (entry.kind !== 'plan.approve' || entry.actor.id !== 'c') return bytes;
      const { sigs: _, actor, ...draft } = entry;
      const keyName = statementKeyName(keys.genesis.origin, 'steward', 'c');
      const said = { ...draft, actor: { type: actor.type, id: actor.id } } as EntryDraft;
      return sealEntry(said, [{ keyName, seed: seedOf('fresh', 3) }]);
    });
    expect(judge(again).datasets).toHaveLength(siteNames.length);
    // a key that this site never pinned signs nothing
    expect(() => judge(again, { ...later, versions: [keys] })).toThrow(code('E_LOG_ENTRY'));
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
  });

  /** A run over data that are neither public nor simulated at the sites from `first` on. */
  const overPatients = (plan: Plan, gateMode: 'signed' | 'cosigned', first = 1) => {
    const entries = ids.flatMap((id) => [approvalBy(id, plan), datasetBy(id, { simulated: id < first })]);
    const other = testFederation(gateMode);
    const simulated = first > 1;
    const view = testSite(other, {
      ...{ dataset: { simulated }, said: { simulated }, policy: { leaveSiteOut: 'off' } },
    });
    const bytes = contractBytes(plan, { entries, isPublic: false });
    return () => verifyAgreement(bytes, run, other, view, now);
  };

  it('takes part in a run over data of patients where every rule of such runs holds', () => {
    const { contract, uncounted } = overPatients(testPlan(), 'cosigned')();
    expect([contract.isPublic, uncounted]).toEqual([false, []]);
  });

  it('refuses data of patients where the coordinator alone signs the log', () => {
    const checked = overPatients(testPlan(), 'signed');
    expect(checked).toThrow(code('E_POLICY'));
    expect(checked).toThrow(/neither public nor simulated, and the roster has gateMode: signed/);
  });

  it('refuses data of patients beside open data, which count towards no minimum', () => {
    const checked = overPatients(testPlan(), 'cosigned', 3);
    expect(checked).toThrow(code('E_POLICY'));
    expect(checked).toThrow(/sites: those of a, b are, so they count towards no minimum/);
  });

  it('refuses data of patients of fewer than five sites', () => {
    const plan = testPlan({
      sites: ['a', 'b', 'c', 'd'],
      secureAggregation: { weightCap: 64, nMin: 3, gamma: { num: 0, den: 1 } },
    });
    const view = { plan, isPublic: false };
    expect(() => verifyRunOpen(view, [])).toThrow(/4 are too few without differential privacy/);
    expect(() => verifyRunOpen({ ...view, isPublic: true }, [])).not.toThrow();
  });

  it('counts sites with open data towards no minimum of a run that is not public', () => {
    const sites = ids.map((id) => ({ id, name: siteNames[id - 1] ?? '' }));
    const entries = ids.map((id) => openEntry(datasetBy(id, { simulated: id === 2 }), federation.keys).entry);
    const datasets = sites.map(({ name }) => commitmentOf(entries, name, 'toy'));
    expect(uncountedOf({ isPublic: false, sites }, datasets)).toEqual([2]);
    expect(uncountedOf({ isPublic: true, sites }, datasets)).toEqual([]);
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

  it('takes no approval for other data than its site committed to', () => {
    const plan = testPlan();
    const other = `sha256:${'cd'.repeat(32)}`;
    const changes: [number, object][] = [
      [2, { datasetVersion: 2 }],
      [4, { commitment: other }],
      [1, { dataset: 'other' }],
    ];
    for (const [site, change] of changes) {
      const entries = ids.flatMap((id) => [approvalBy(id, plan, id === site ? change : {}), datasetBy(id)]);
      const checked = () => check(contractBytes(plan, { entries }));
      expect(checked).toThrow(code('E_POLICY'));
      expect(checked).toThrow(new RegExp(`steward of ${siteNames[site - 1]} is not for version 1 of toy`));
    }
  });

  it('finds the approval for the committed version among older ones', () => {
    const plan = testPlan();
    const old = ids.map((id) => approvalBy(id, plan, { datasetVersion: 7 }));
    expect(
      check(contractBytes(plan, { entries: [...old, ...statementsAbout(plan)] })).approval.datasetVersion,
    ).toBe(1);
  });

  it.each<[string, object]>([
    ['commitment', { commitment: `sha256:${'cd'.repeat(32)}` }],
    ['public', { public: true }],
    ['band', { band: '500+' }],
  ])('compares what its steward signed with the data that are loaded (%s)', (field, said) => {
    const checked = () => check(contractBytes(testPlan()), testSite(federation, { said }));
    expect(checked).toThrow(code('E_POLICY'));
    expect(checked).toThrow(`another dataset toy than the one that is loaded (${field})`);
  });

  it('compares the policy that its steward approved under with the policy file', () => {
    const plan = testPlan();
    const policy = `sha256:${'cd'.repeat(32)}`;
    const under = (site: number) =>
      ids.flatMap((id) => [approvalBy(id, plan, id === site ? { policy } : {}), datasetBy(id)]);
    expect(() => check(contractBytes(plan, { entries: under(1) }))).toThrow(/under another policy/);
    expect(() => check(contractBytes(plan, { entries: under(2) }))).not.toThrow();
  });

  it('leaves the coordinator no choice between two commitments of a site', () => {
    const plan = testPlan();
    const later = datasetBy(3, { public: false, simulated: false });
    for (const entries of [
      [...statementsAbout(plan), later],
      [later, ...statementsAbout(plan)],
    ]) {
      expect(() => check(contractBytes(plan, { entries }))).toThrow(
        /several versions of dataset toy of site c/,
      );
    }
    expect(() =>
      check(contractBytes(plan, { entries: [...statementsAbout(plan), datasetBy(3)] })),
    ).not.toThrow();
  });

  it('refuses a run when the files were changed since the daemon described them', () => {
    expect(() => verifySameData(site, site.content)).not.toThrow();
    expect(() => verifySameData(site, new Uint8Array(32))).toThrow(/changed since this daemon started/);
  });

  it('knows the panel of a series itself, whatever coordinator and stewards say', () => {
    const plan = seriesPlan();
    const series = { kind: 'series', scale: 'log-ratio', unit: 'gene' } as const;
    const under = (names: readonly string[], size = names.length) => {
      const panel = { digest: digestText(panelDigest(names)), size };
      const entries = statementsAbout(plan, { panel, unit: 'gene' });
      const view = testSite(federation, { dataset: series, panel: names, said: { panel, unit: 'gene' } });
      const bytes = contractBytes(plan, { entries, panel: { digest: hex(panelDigest(names)), size } });
      return () => check(bytes, { ...view, panel: { ...view.panel, size } });
    };
    expect(under(SERIES_PANEL)).not.toThrow();
    expect(under(SERIES_PANEL, 5)).toThrow(code('E_PANEL'));
    expect(under(['series-value', 'more'])).toThrow(/a series has its channels/);
  });

  const policyCases: [string, object, object][] = [
    ['purpose', {}, { purposes: ['quality'] }],
    ['secureAggregation.nMin', {}, { nMin: 6 }],
    ['secureAggregation.gamma', {}, { gamma: { num: 2, den: 5 } }],
    ['training.rounds', {}, { maxRounds: 2 }],
    [
      'secureAggregation.noise',
      { secureAggregation: { noise: { mechanism: 'skellam', z: 2 }, quantizationBits: 16, weightCap: 64 } },
      {},
    ],
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

  it('takes blocks with owners of open data only', () => {
    const dense = { type: 'dense', units: 4 };
    const contractWith = (isPublic: boolean) => {
      const owned = { aggregate: 'owners', owners: ['a', 'b', 'c', 'd'], denominator: 1 };
      const head = { name: 'head', layers: [{ type: 'dense', units: 'outputs' }] };
      const plan = testPlan({ model: { blocks: [{ name: 'omic', ...owned, layers: [dense] }, head] } });
      return contractOf({
        ...{ runId: new Uint8Array(16), plan, roster: federation.roster, isPublic },
        panel: { digest: panelDigest(genes), size: genes.length },
      });
    };
    const closed = testSite(federation, { policy: { leaveSiteOut: 'off' } });
    const check = (isPublic: boolean) => () => verifyPlanAllowed(contractWith(isPublic), closed, 4);
    expect(check(false)).toThrow(/model\.blocks\[0\]\.owners: only for public data/);
    expect(check(true)).not.toThrow();
  });

  it('takes series and sequences of open data only: no round counts their units', () => {
    const series = { kind: 'series', scale: 'log-ratio', unit: 'gene' } as const;
    const plan = testPlan({ dataset: { name: 'toy', ...series }, prepare: [] });
    const panel = { digest: digestText(panelDigest(SERIES_PANEL)), size: 1 };
    const view = testSite(federation, {
      dataset: series,
      panel: SERIES_PANEL,
      said: { panel, unit: 'gene' },
    });
    const under = (isPublic: boolean) => {
      const contract = contractOf({
        ...{ runId: new Uint8Array(16), plan, roster: federation.roster, isPublic },
        panel: { digest: panelDigest(SERIES_PANEL), size: 1 },
      });
      return () => verifyPlanAllowed(contract, view, 4);
    };
    expect(under(true)).not.toThrow();
    expect(under(false)).toThrow(/dataset\.kind: no round counts the units/);
  });

  it('says nothing of the number of units when the weight cap is too small', () => {
    const small = testSite(federation, { units: 65 });
    expect(() => check(contractBytes(testPlan()), small)).toThrow(/weightCap: it does not fit this site$/);
  });
});
