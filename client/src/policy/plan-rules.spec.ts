import { describe, expect, it } from '@jest/globals';
import type { RunContract } from '@regulon/shared/program';
import { verifyAgreement } from './agreement.js';
import { verifyPlanAllowed } from './plan-rules.js';
import { contractBytes, run, testFederation, testPlan, testSite } from './site.support.js';

const federation = testFederation();
const now = Date.parse('2026-11-21T00:00:00Z');
const { contract } = verifyAgreement(contractBytes(testPlan()), run, federation, testSite(federation), now);
const { plan } = contract;
const grouped: RunContract = {
  ...contract,
  plan: { ...plan, secureAggregation: { ...plan.secureAggregation, subCohort: 5 } },
};

/** @param policy of the site, beside what a run needs */
const verified = (of: RunContract, policy: object) => () =>
  verifyPlanAllowed(of, testSite(federation, { policy }), 10);
const refusal = (why: string): object =>
  expect.objectContaining({ code: 'E_POLICY', message: expect.stringContaining(why) });

describe('a plan with sub-cohorts', () => {
  it('needs a policy that allows them', () => {
    expect(verified(grouped, {})).toThrow(
      refusal('secureAggregation.subCohort: the policy of this site allows no'),
    );
    expect(verified(grouped, { allowSubCohorts: true })).not.toThrow();
  });

  it('does not go with a stable cohort, where that rule holds: the groups change with every round', () => {
    const both = { allowSubCohorts: true, stableCohort: true };
    expect(verified({ ...grouped, isPublic: false }, { ...both, leaveSiteOut: 'off' })).toThrow(
      refusal('secureAggregation.subCohort: groups change with every round'),
    );
    expect(verified(grouped, both)).not.toThrow();
    expect(verified({ ...contract, isPublic: false }, both)).not.toThrow();
  });
});

describe('a plan that claims privacy of patients', () => {
  const privacy = {
    unit: 'patient' as const,
    adjacency: 'add-or-remove-one' as const,
    ...{ noiseMultiplier: 2, samplingRate: 0.1, localSteps: 10, clipNorm: 1 },
    ...{ recordsPerPatient: 1, delta: 1e-3, hospitalsPerPatient: 1 },
  };
  const claiming = (change: { delta?: number } = {}): RunContract => ({
    ...contract,
    plan: { ...plan, privacy: { ...privacy, ...change } },
  });
  const budget = (minNoise: number) => ({ privacy: { epsilon: 3, delta: 1e-3, minNoise } });

  it('needs the noise that the policy asks for', () => {
    expect(verified(claiming(), budget(2))).not.toThrow();
    expect(verified(claiming(), budget(2.1))).toThrow(refusal('privacy.noiseMultiplier: below 2.1'));
  });

  it('needs a δ below one patient of this site, whose number it does not learn', () => {
    // 40 units
    expect(verified(claiming({ delta: 0.024 }), {})).not.toThrow();
    expect(verified(claiming({ delta: 0.025 }), {})).toThrow(
      refusal('privacy.delta: it does not fit this site'),
    );
  });
});

describe('a plan that lists genes', () => {
  const listing = (...genes: { name: string; at: number }[]): RunContract => ({
    ...contract,
    plan: { ...plan, prepare: [{ step: 'gene-list', genes }, { step: 'log2-cpm' }] },
  });
  const { names } = testSite(federation).panel;
  const [first = '', second = ''] = names;

  it('calls them what the panel of the site does', () => {
    expect(verified(listing({ name: first, at: 1 }, { name: second, at: 2 }), {})).not.toThrow();
    expect(verified(listing({ name: first, at: 1 }, { name: first, at: 2 }), {})).toThrow(
      expect.objectContaining({ code: 'E_PANEL', message: expect.stringContaining('prepare[0].genes[1]') }),
    );
    expect(verified(listing({ name: first, at: names.length + 1 }), {})).toThrow(/another name/);
  });
});
