import { describe, expect, it } from '@jest/globals';
import { isRegulonError } from '../errors/index.js';
import { rateFactor, type Schedule, scheduleSchema } from './learning-rate.js';
import { parsePlan, planBytes } from './parse.js';
import { toyPlan } from './toy-plan.support.js';

const rounds = 10;
const factors = (declared: object, steps = 1): number[] =>
  Array.from({ length: rounds * steps }, (_, i) =>
    rateFactor(scheduleSchema.parse(declared), {
      from: Math.floor(i / steps),
      ...{ span: 1, rounds, step: i % steps, steps },
    }),
  );

describe('rateFactor', () => {
  it('is 1 when nothing changes', () => {
    expect(new Set(factors({ name: 'constant' }, 3))).toEqual(new Set([1]));
  });

  it('steps down by whole rounds', () => {
    const expected = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.5, 0.25, 0.25];
    expect(factors({ name: 'step', every: 4, factor: 0.5 })).toEqual(expected);
    expect(factors({ name: 'step', every: 4, factor: 0.5 }, 2).filter((_, i) => i % 2 === 1)).toEqual(
      expected,
    );
  });

  it('goes down half a cosine: at thirds of the way .75 and .25 of what is above the floor', () => {
    const at = (done: number): number =>
      rateFactor(
        { name: 'cosine', floor: 0.2, warmupRounds: 0 },
        { from: done, span: 1, rounds: 9, step: 0, steps: 1 },
      );
    expect([at(0), at(3), at(4.5), at(6)].map((x) => x.toFixed(12))).toEqual(
      [1, 0.8, 0.6, 0.4].map((x) => x.toFixed(12)),
    );
    expect(at(9)).toBeCloseTo(0.2, 12);
  });

  it('rises step by step to the full rate, and counts rounds from there', () => {
    const warm = factors({ name: 'step', every: 4, factor: 0.5, warmupRounds: 2 }, 2);
    expect(warm.slice(0, 5)).toEqual([0.25, 0.5, 0.75, 1, 1]);
    expect(warm.slice(12)).toEqual([0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  });

  it('is the same where a round begins, however many steps a site makes', () => {
    for (const declared of [{ name: 'cosine' }, { name: 'step', every: 3 }]) {
      const few = factors(declared, 2).filter((_, i) => i % 2 === 0);
      const many = factors(declared, 7).filter((_, i) => i % 7 === 0);
      expect(many).toEqual(few);
    }
  });

  it('is the same for all rounds in one job as for one after the other', () => {
    const schedule: Schedule = { name: 'cosine', floor: 0, warmupRounds: 2 };
    const whole = Array.from({ length: 40 }, (_, step) =>
      rateFactor(schedule, { from: 0, span: rounds, rounds, step, steps: 40 }),
    );
    factors(schedule, 4).forEach((factor, i) => expect(whole[i]).toBeCloseTo(factor, 12));
  });
});

describe('a plan with a schedule', () => {
  const plan = (schedule?: object) =>
    parsePlan(
      toyPlan(['a', 'b', 'c', 'd', 'e'], {
        training: { rounds: 5, optimizer: { name: 'adam' }, ...(schedule ? { schedule } : {}) },
      }),
    );

  it('fills defaults in; without one its bytes are as before there were schedules', () => {
    expect(plan({ name: 'cosine' }).training.schedule).toEqual({ name: 'cosine', floor: 0, warmupRounds: 0 });
    expect(Buffer.from(planBytes(plan())).toString()).not.toContain('schedule');
  });

  it.each([
    ['a warm-up that never ends', { name: 'cosine', warmupRounds: 5 }, 'training.schedule.warmupRounds: '],
    ['steps that go up', { name: 'step', every: 2, factor: 2 }, 'training.schedule.factor: '],
    ['a name of its own', { name: 'plateau' }, 'training.schedule.name: '],
  ])('refuses %s', (_, schedule, path) => {
    const refused = (): string => {
      try {
        plan(schedule);
      } catch (error) {
        if (isRegulonError(error, 'E_PLAN')) return error.message;
        throw error;
      }
      return 'accepted';
    };
    expect(refused()).toContain(path);
  });
});
