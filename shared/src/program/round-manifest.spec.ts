import { describe, expect, it } from '@jest/globals';
import { toyPlan } from '../plan/toy-plan.support.js';
import { checkManifest, type Manifest } from '../secagg/index.js';
import { SampleFederation } from '../transparency-samples/index.js';
import { contractOf } from './contract.js';
import { trainingExtras } from './extras.js';
import { RunProgram } from './program.js';
import { rosterViewOf } from './roster-view.js';
import { roundManifest } from './round-manifest.js';
import { Purpose } from './schedule.js';

/** twenty members, of which two may collude */
const gamma = { num: 1, den: 10 };
const { roster } = new SampleFederation(20, undefined, { gamma });

/** Manifest of the first round of a purpose, under a plan with these terms. */
function manifestOf(purpose: Purpose, secureAggregation: object): Manifest {
  const names = roster.members.map(({ name }) => name);
  const plan = toyPlan(names, { secureAggregation: { weightCap: 64, gamma, ...secureAggregation } });
  const panel = { digest: new Uint8Array(32), size: 6 };
  const contract = contractOf({ runId: new Uint8Array(16), plan, roster, panel, isPublic: true });
  const round = new RunProgram(contract).schedule.find((r) => r.purpose === purpose);
  if (!round) throw new TypeError('no such round');
  const facts = {
    ...{ modelHash: new Uint8Array(32), length: 40, bound: 10 },
    ...(purpose === Purpose.train
      ? { extras: trainingExtras(contract.plan), fractionBits: 0 }
      : { extras: [], fractionBits: 24 }),
  };
  const opened = { attempt: 0, prevTranscriptHash: new Uint8Array(32), deadlines: [1, 2, 3, 4, 5] };
  return roundManifest(contract, round, facts, opened);
}

describe('the manifest of a round', () => {
  it('has sub-cohorts and noise in training only', () => {
    const terms = {
      ...{ subCohort: 6, quantizationBits: 16 },
      noise: { mechanism: 'skellam', z: 2.5 },
    };
    expect(manifestOf(Purpose.train, terms)).toMatchObject({ subCohort: 6, mechanism: 2, z: 2.5 });
    expect(manifestOf(Purpose.statistics, terms)).toMatchObject({ subCohort: 0, mechanism: 0, z: 0 });
    expect(manifestOf(Purpose.train, {})).toMatchObject({ subCohort: 0, mechanism: 0, z: 0 });
  });

  it.each([0.1, 1, 8, 100])('has extras with room for noise of z = %d', (z) => {
    for (const subCohort of [undefined, 6, 10]) {
      const noise = { mechanism: 'discrete-gaussian', z };
      const terms = { noise, quantizationBits: 12, ...(subCohort === undefined ? {} : { subCohort }) };
      const manifest = manifestOf(Purpose.train, terms);
      expect(() => checkManifest(manifest, rosterViewOf(roster))).not.toThrow();
    }
  });

  it('is refused by the contract when its groups are below c + 4', () => {
    expect(() => manifestOf(Purpose.train, { subCohort: 5 })).toThrow(
      expect.objectContaining({ code: 'E_POLICY' }),
    );
  });
});
