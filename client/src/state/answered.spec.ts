import { describe, expect, it } from '@jest/globals';
import { sha256, u32, utf8 } from '@regulon/shared/crypto';
import { type AnsweredRow, AnsweredTable } from './answered.js';
import { opened, run } from './state.support.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('what was answered', () => {
  const row = (round: number, more: Partial<AnsweredRow> = {}): AnsweredRow => ({
    ...{
      run,
      round,
      attempt: 0,
      purpose: 1,
      stepId: 'mean',
      arm: 0,
      iteration: 0,
      modelHash: 'm',
      planHash: 'p',
    },
    ...{ h3: sha256(u32(1)), cohort: [1, 2, 3], relaxed: false, answer: utf8('answer'), ...more },
  });

  it('is answered once: the same again is harmless, another survivor set is refused', () => {
    const table = new AnsweredTable(opened());
    table.insert(row(0), false);
    expect(() => table.insert(row(0), false)).not.toThrow();
    expect(() => table.insert(row(0, { h3: sha256(u32(2)) }), false)).toThrow(refused('E_STATE'));
    expect(table.lastRound(run)).toBe(0);
  });

  it('is never released again under another round number or run', () => {
    const table = new AnsweredTable(opened());
    table.insert(row(0), false);
    expect(() => table.insert(row(1), false)).toThrow(refused('E_REPLAY'));
    expect(() => table.insert(row(0, { run: 'run_2' }), false)).toThrow(refused('E_REPLAY'));
  });

  it('is recognised before anything is trained for it; the same sum of another arm is judged in the end', () => {
    const table = new AnsweredTable(opened());
    expect(() => table.verifyFresh(row(0))).not.toThrow();
    table.insert(row(0), false);
    expect(() => table.verifyFresh(row(1))).toThrow(refused('E_REPLAY'));
    expect(() => table.verifyFresh(row(0, { run: 'run_2' }))).toThrow(refused('E_REPLAY'));
    expect(() => table.verifyFresh(row(1, { modelHash: 'n' }))).not.toThrow();
    expect(() => table.verifyFresh(row(1, { arm: 1 }))).not.toThrow();
  });

  it('may be repeated by another arm of the same sites, or under exact leave-site-out', () => {
    const table = new AnsweredTable(opened());
    table.insert(row(0), false);
    expect(() => table.insert(row(1, { arm: 1 }), false)).not.toThrow();
    expect(() => table.insert(row(2, { arm: 2, cohort: [1, 2] }), false)).toThrow(refused('E_REPLAY'));
    expect(() => table.insert(row(3, { arm: 3, cohort: [1, 2] }), true)).not.toThrow();
  });
});
