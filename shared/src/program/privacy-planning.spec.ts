import { describe, expect, it } from '@jest/globals';
import { parsePlan, type Plan } from '../plan/index.js';
import { toyPlan } from '../plan/toy-plan.support.js';
import { gaussianEpsilon } from '../privacy/index.js';
import { COUNT_NOISE, costOfRun } from './patient-privacy.js';
import { costByRounds, noiseOfPlan } from './privacy-planning.js';

const planWith = (change: object, rounds = 12): Plan =>
  parsePlan(
    toyPlan(['a', 'b', 'c', 'd', 'e'], {
      prepare: [{ step: 'log2-cpm' }],
      evaluation: { split: 'none' },
      training: { rounds, optimizer: { name: 'adam' } },
      privacy: {
        ...{ unit: 'patient', adjacency: 'add-or-remove-one', noiseMultiplier: 8, samplingRate: 1 },
        ...{ localSteps: 5, clipNorm: 1, delta: 1e-3, hospitalsPerPatient: 1 },
        ...change,
      },
    }),
  );
const costWith = (plan: Plan, noiseMultiplier: number): number =>
  costOfRun({ ...plan, privacy: { ...plan.privacy!, noiseMultiplier } })!.reported.epsilon;

describe('the cost of a run, round by round', () => {
  it('rises to the cost of the whole run', () => {
    const plan = planWith({});
    const points = costByRounds(plan);
    expect(points).toHaveLength(10);
    expect(points.map(({ rounds }) => rounds)).toEqual([2, 3, 4, 5, 6, 8, 9, 10, 11, 12]);
    points.slice(1).forEach(({ epsilon }, i) => expect(epsilon).toBeGreaterThan(points[i]!.epsilon));
    expect(points.at(-1)?.epsilon).toBeCloseTo(costOfRun(plan)!.reported.epsilon, 9);
    expect(costByRounds(planWith({}, 3)).map(({ rounds }) => rounds)).toEqual([1, 2, 3]);
  });

  it('is nothing of a plan without privacy', () => {
    const { privacy: _, ...plan } = planWith({});
    expect(costByRounds(plan as Plan)).toEqual([]);
    expect(() => noiseOfPlan(plan as Plan, 1)).toThrow(expect.objectContaining({ code: 'E_PRIVACY' }));
  });
});

describe('the noise for a wanted ε', () => {
  it.each([
    ['everybody', {}, 3],
    ['a patient of two hospitals', { hospitalsPerPatient: 2 }, 3],
    ['samples', { samplingRate: 0.25 }, 1],
  ])('of %s is enough, and not a per cent more', (_, change, epsilon) => {
    const plan = planWith(change);
    const z = noiseOfPlan(plan, epsilon);
    expect(costWith(plan, z)).toBeLessThanOrEqual(epsilon);
    expect(costWith(plan, z * 0.985)).toBeGreaterThan(epsilon);
  });

  it('is refused where the count of patients alone costs more', () => {
    expect(() => noiseOfPlan(planWith({}), 0.05)).toThrow(/which the count of patients alone costs/);
  });

  it.each([{}, { samplingRate: 0.25 }])('ends a hair above what the count costs: %j', (change) => {
    const plan = planWith(change);
    const floor = gaussianEpsilon(1 / COUNT_NOISE, plan.privacy!.delta);
    expect(() => noiseOfPlan(plan, floor * (1 + 1e-12))).toThrow(
      expect.objectContaining({ code: 'E_PRIVACY' }),
    );
  });
});
