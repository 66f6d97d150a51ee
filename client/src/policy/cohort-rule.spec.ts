import { describe, expect, it } from '@jest/globals';
import type { RunContract, ScheduledRound } from '@regulon/shared/program';
import type { AnsweredRow } from '../state/index.js';
import { verifyCohort } from './cohort-rule.js';

const contract = { isPublic: false } as RunContract;
const round = (purpose: 0 | 1 | 2, arm = 0) => ({ purpose, arm }) as ScheduledRound;
const answered = (purpose: number, cohort: number[], more: Partial<AnsweredRow> = {}): AnsweredRow => ({
  ...{
    run: 'run_1',
    round: 0,
    attempt: 0,
    purpose,
    stepId: 's',
    arm: 0,
    iteration: 0,
    modelHash: 'm',
    planHash: 'p',
  },
  ...{ h3: new Uint8Array(32), cohort, relaxed: false, answer: new Uint8Array(), reopened: false, ...more },
});
const release = (purpose: 0 | 1 | 2, cohort: number[], modelHash = 'm', arm = 0) => ({
  ...{ contract, run: 'run_1', round: round(purpose, arm), cohort, modelHash },
});
const all = [1, 2, 3, 4, 5];
const code = expect.objectContaining({ code: 'E_U3' }) as object;

describe('the cohort rule', () => {
  it('accepts equal and disjoint sets of a statistic', () => {
    expect(() => verifyCohort(release(1, all), [answered(1, all)], false)).not.toThrow();
    expect(() => verifyCohort(release(1, [6, 7, 8]), [answered(1, all)], false)).not.toThrow();
  });

  it('refuses a statistic without one site, over runs, plans and steps', () => {
    const earlier = answered(1, all, { run: 'run_2', planHash: 'q', stepId: 'other', modelHash: 'n' });
    expect(() => verifyCohort(release(1, [1, 2, 3, 4]), [earlier], false)).toThrow(code);
    expect(() => verifyCohort(release(2, [1, 2, 3, 4]), [earlier], false)).toThrow(code);
  });

  it('compares training only with rounds that start from the same weights', () => {
    expect(() => verifyCohort(release(0, [1, 2, 3, 4], 'n'), [answered(0, all)], false)).not.toThrow();
    expect(() => verifyCohort(release(0, [1, 2, 3, 4]), [answered(0, all, { run: 'run_9' })], false)).toThrow(
      code,
    );
  });

  it('never lets the contributors of an arm change under stableCohort', () => {
    expect(() => verifyCohort(release(0, [1, 2, 3, 4], 'n'), [answered(0, all)], true)).toThrow(code);
  });

  it('does not bind a public run', () => {
    const open = { ...release(1, [1, 2, 3, 4]), contract: { isPublic: true } as RunContract };
    expect(() => verifyCohort(open, [answered(1, all)], true)).not.toThrow();
  });
});
