import { describe, expect, it } from '@jest/globals';
import { parsePlan } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { accountOf, gaussianEpsilon } from '../privacy/index.js';
import { costOfRun, privacyClaim, trainingEvent } from './patient-privacy.js';
import { Purpose } from './schedule.js';
import { RunProgram } from './program.js';
import { toyContract } from './toy-contract.support.js';

const sites = ['a', 'b', 'c', 'd', 'e'];
const claim = {
  prepare: [{ step: 'log2-cpm' }],
  evaluation: { split: 'none' },
  privacy: {
    ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 8, samplingRate: 1 },
    ...{ localSteps: 5, clipNorm: 1, delta: 1e-3, hospitalsPerPatient: 2 },
  },
};
const plan = parsePlan(toyPlan(sites, claim));

describe('a run with privacy of patients', () => {
  const program = new RunProgram({ ...toyContract(), plan });

  it('sums updates and nothing else of the data: no statistic, no loss, no count, no score', () => {
    expect(program.schedule.map(({ purpose }) => purpose)).toEqual(Array(3).fill(Purpose.train));
    const [first] = program.schedule;
    expect(program.extras(first!).map(({ name }) => name)).toEqual(['fault']);
    expect(program.specification(0).steps).toEqual([{ step: 'log2-cpm' }]);
    const outcome = { survivors: [1, 2, 3, 4, 5], extras: { fault: 0 }, modelHash: new Uint8Array(32) };
    program.setInitialModel(0, new Uint8Array(32).fill(1));
    expect(program.closing(first!, outcome).point).toBeNull();
  });

  it('costs all steps of all rounds and one count, for a patient of so many hospitals', () => {
    const events = [
      { mechanism: 'gaussian', q: 1, z: 8, steps: 15 },
      { mechanism: 'gaussian', q: 1, z: 10, steps: 1 },
    ] as const;
    expect(costOfRun(plan)).toEqual(accountOf(events, 1e-3, { copies: 2 }));
    // GDP adds up: μ² = 2·(15/64 + 1/100)
    const exact = gaussianEpsilon(Math.sqrt(2 * (15 / 64 + 1 / 100)), 1e-3);
    expect(costOfRun(plan)?.epsilon.exact).toBeCloseTo(exact, 9);
  });

  it('charges the rate that is sampled with, a multiple of 2⁻³²', () => {
    const { privacy } = parsePlan(
      toyPlan(sites, { ...claim, privacy: { ...claim.privacy, samplingRate: 0.1 } }),
    );
    const { q, counted } = trainingEvent(privacy!, { rounds: 1, counted: false });
    expect(Number.isInteger(Number(q) * 2 ** 32)).toBe(true);
    expect(counted).toBeUndefined();
  });

  it('is labelled with everything that goes with ε, and one without by what it lacks', () => {
    const { protectedBy, notProtected } = privacyClaim(plan, costOfRun(plan));
    for (const part of [
      'ε = ',
      'δ = 0.001',
      'unit patient',
      'add-or-remove-one',
      '2 of the hospitals',
      'RDP',
    ])
      expect(protectedBy).toContain(part);
    expect(notProtected).toContain('size band');
    const { privacy: _, ...without } = plan;
    expect(privacyClaim(without)).toMatchObject({ protectedBy: 'nothing' });
    expect(privacyClaim(without).notProtected).toContain('updates and the model');
  });
});
