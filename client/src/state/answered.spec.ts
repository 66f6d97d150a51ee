import { describe, expect, it } from '@jest/globals';
import { sha256, u32, utf8 } from '@regulon/shared/crypto';
import { type AnsweredRow, AnsweredTable } from './answered.js';
import { closed, opened, run, stateFolder } from './state.support.js';

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
    ...{
      h3: sha256(u32(1)),
      cohort: [1, 2, 3],
      relaxed: false,
      answer: utf8('answer'),
      reopened: false,
      ...more,
    },
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

  describe('in a burnt round that the administrators reopened', () => {
    const again = (more: Partial<AnsweredRow> = {}): AnsweredRow =>
      row(0, { attempt: 1, h3: sha256(u32(2)), reopened: true, ...more });

    it('is answered once more, and only once', () => {
      const table = new AnsweredTable(opened());
      table.insert(row(0), false);
      table.insert(again(), false);
      expect(() => table.insert(again(), false)).not.toThrow();
      expect(table.find(run, 0)).toMatchObject({ attempt: 1, reopened: true });
      expect(() => table.insert(again({ attempt: 2, h3: sha256(u32(3)) }), false)).toThrow(
        refused('E_STATE'),
      );
      expect(() => table.insert(row(0), false)).toThrow(refused('E_STATE'));
    });

    it('is not answered in an older attempt, nor without the Reopen', () => {
      const table = new AnsweredTable(opened());
      table.insert(row(0, { attempt: 1 }), false);
      expect(() => table.insert(again({ attempt: 1 }), false)).toThrow(refused('E_STATE'));
      expect(() => table.insert(again({ attempt: 0 }), false)).toThrow(refused('E_STATE'));
      expect(() => table.insert(again({ attempt: 2, reopened: false }), false)).toThrow(refused('E_STATE'));
    });

    it('keeps what was answered before: for the cohort rule, and against other rounds', () => {
      const table = new AnsweredTable(opened());
      table.insert(row(0), false);
      table.insert(again({ modelHash: 'n', cohort: [1, 2] }), false);
      expect(table.exact().map(({ cohort }) => cohort)).toEqual([
        [1, 2],
        [1, 2, 3],
      ]);
      expect(() => table.insert(row(1), false)).toThrow(refused('E_REPLAY'));
      expect(() => table.verifyFresh(row(0), true)).not.toThrow();
      expect(() => table.verifyFresh(row(0))).toThrow(refused('E_REPLAY'));
    });

    it('stands in the database of an older version, whose answers were none of that kind', () => {
      const path = stateFolder();
      const old = opened(path);
      new AnsweredTable(old).insert(row(0), false);
      old.db.exec(
        'DROP TABLE run_units; DROP TABLE unit_sets; DROP TABLE cosigned; DROP TABLE burnt;' +
          'ALTER TABLE outcomes DROP COLUMN group_roots; ALTER TABLE outcomes DROP COLUMN tiles;' +
          'ALTER TABLE answered DROP COLUMN reopened; PRAGMA user_version = 3;',
      );
      closed(old);
      const table = new AnsweredTable(opened(path));
      expect(table.find(run, 0)).toEqual(row(0));
      expect(() => table.insert(again(), false)).not.toThrow();
    });
  });
});
