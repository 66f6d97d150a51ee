import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { utf8 } from '@regulon/shared/crypto';
import { AttemptJournal, Step } from './attempt-journal.js';
import { attempt, opened, run, stateFolder } from './state.support.js';

describe('the journal of attempts', () => {
  it('keeps round secrets sealed, each time under another nonce, and forgets them', () => {
    const state = opened();
    const journal = new AttemptJournal(state);
    const sealedOf = (): Buffer =>
      (state.db.prepare('SELECT sealed FROM attempts').get() as { sealed: Buffer }).sealed;
    journal.save(attempt(Step.joined, 'a very secret seed'));
    const first = sealedOf();
    expect(first.includes('secret')).toBe(false);
    expect(journal.find(run, 0, 0)?.snapshot).toEqual(utf8('a very secret seed'));
    journal.save(attempt(Step.joined, 'a very secret seed'));
    expect(sealedOf().equals(first)).toBe(false);
    journal.wipe(run, 0, 0);
    expect(journal.find(run, 0, 0)?.snapshot).toBeNull();
  });

  it('leaves nothing of a wiped secret in the file, not even sealed', () => {
    const path = stateFolder();
    const state = opened(path);
    const journal = new AttemptJournal(state);
    journal.save(attempt(Step.joined, 'a very secret seed '.repeat(2000)));
    const { sealed } = state.db.prepare('SELECT sealed FROM attempts').get() as { sealed: Buffer };
    const inFile = (): boolean => {
      state.db.pragma('wal_checkpoint(TRUNCATE)');
      return readFileSync(join(path, 'daemon.sqlite')).includes(sealed.subarray(-64));
    };
    expect(inFile()).toBe(true);
    journal.wipe(run, 0, 0);
    expect(inFile()).toBe(false);
  });

  it('forgets the secrets of attempts that began too long ago, from their first step on', () => {
    let now = 1000;
    const journal = new AttemptJournal(opened(), () => now);
    journal.save(attempt(Step.joined, 'old'));
    now = 5000;
    journal.save(attempt(Step.shared, 'old'));
    journal.save({ ...attempt(Step.joined, 'young'), round: 1 });
    expect(journal.wipeBefore(1000)).toBe(0);
    expect(journal.wipeBefore(5000)).toBe(1);
    expect(journal.wipeBefore(5000)).toBe(0);
    expect(journal.find(run, 0, 0)).toMatchObject({ snapshot: null, step: Step.shared });
    expect(journal.find(run, 1, 0)?.snapshot).toEqual(utf8('young'));
  });
});
