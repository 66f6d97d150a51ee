import { describe, expect, it } from '@jest/globals';
import type { Plan } from '@regulon/shared/plan';
import { testPlan } from '../../policy/site.support.js';
import { agreement, run } from '../audits/closed-round.support.js';
import { saidOf, trainingOf, unitsOf } from './training-job.js';

const plan = testPlan({
  prepare: [{ step: 'log2-cpm' }],
  evaluation: { split: 'none' },
  privacy: {
    ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 2, samplingRate: 0.1 },
    ...{ localSteps: 7, clipNorm: 0.5, delta: 1e-3 },
  },
});
const live = (of: Plan, seed = 1) => ({
  run,
  contract: { ...agreement.contract, plan: of },
  roundingSecret: new Uint8Array(32).fill(seed),
});
const data = { featuresPath: 'x', shape: [40, 12], n: 40, patients: 30 };

describe('training of a site', () => {
  it('with privacy counts patients by a noised number, the same one in all rounds of a run', () => {
    const units = unitsOf(live(plan), data);
    expect(unitsOf(live(plan), data, { count: 40 })).toBe(units);
    const drawn = Array.from({ length: 200 }, (_, i) => unitsOf(live(plan, i), { ...data, patients: 40 }));
    const mean = drawn.reduce((a, b) => a + b, 0) / drawn.length;
    // σ = 10, five standard errors, and what the cap of 64 cuts off
    expect(Math.abs(mean - 40)).toBeLessThan(4);
    expect(new Set(drawn).size).toBeGreaterThan(15);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(64);
    expect(Math.min(...Array.from({ length: 50 }, (_, i) => unitsOf(live(plan, i), { n: 1 })))).toBe(1);
    expect(unitsOf(live(testPlan()), data, { count: 39 })).toBe(39);
  });

  it('with privacy trains by the steps of the plan, on the noised number', () => {
    const round = { round: 2, arm: 0, iteration: 2 } as Parameters<typeof trainingOf>[1];
    const job = trainingOf(live(plan), round, 1, data);
    expect(job.privacy).toMatchObject({
      ...{ steps: 7, samplingRate: 0.1, noiseMultiplier: 2, clipNorm: 0.5, recordsPerPatient: 1 },
      patients: unitsOf(live(plan), data),
    });
    const later = trainingOf(live(plan), { ...round, round: 3 }, 1, data);
    // the same records of a patient in every round, other dropout masks
    expect(later.privacy?.recordKey).toBe(job.privacy?.recordKey);
    expect(later.shuffleKey).not.toBe(job.shuffleKey);
    expect(trainingOf(live(testPlan()), round, 1, data).privacy).toBeUndefined();
  });

  it('with privacy says nothing beside the update', () => {
    const result = {
      ...{ count: 40, lossSum: 12, targetCount: 40, correct: 30, steps: 7, seconds: 1, stepMilliseconds: 1 },
      ...{ deltaSha256: 'ab'.repeat(32), deltaNormSquared: 1, backend: 'wasm' },
    };
    expect(saidOf({ plan }, result)).toEqual({ extras: {}, release: 'ab'.repeat(32) });
    expect(saidOf({ plan: testPlan() }, result)).toEqual({ extras: { loss: 12, correct: 30, count: 40 } });
  });
});
