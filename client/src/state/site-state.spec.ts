import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { AttemptJournal, Step } from './attempt-journal.js';
import { SiteState } from './site-state.js';
import { attempt, closed, opened, pins, run, stateFolder } from './state.support.js';

const refused = (code: string): object => expect.objectContaining({ code });

describe('the state folder', () => {
  it('belongs to one daemon at a time', () => {
    const path = stateFolder();
    const state = opened(path);
    expect(() => SiteState.open(path, pins)).toThrow(refused('E_STATE_LOCKED'));
    closed(state);
    expect(() => opened(path)).not.toThrow();
  });

  it('belongs to one site and one roster', () => {
    const path = stateFolder();
    closed(opened(path));
    expect(() => SiteState.open(path, { ...pins, rosterHash: 'ef' })).toThrow(refused('E_ROSTER'));
  });

  it('is quarantined when its database was restored from an old copy', () => {
    const path = stateFolder();
    const state = opened(path);
    const journal = new AttemptJournal(state);
    journal.save(attempt(Step.joined, 'r0'));
    state.db.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(join(path, 'daemon.sqlite'), join(path, 'backup'));
    journal.save(attempt(Step.shared, 'r1'));
    closed(state);
    copyFileSync(join(path, 'backup'), join(path, 'daemon.sqlite'));
    expect(() => SiteState.open(path, pins)).toThrow(refused('E_QUARANTINE'));
  });

  it('is quarantined when the counter or the sealing key beside the database is gone', () => {
    for (const name of ['counter', 'sealing.key']) {
      const path = stateFolder();
      const state = opened(path);
      new AttemptJournal(state).save(attempt(Step.joined, 'r0'));
      new AttemptJournal(state).save(attempt(Step.shared, 'r1'));
      closed(state);
      rmSync(join(path, 'anchor', name));
      expect(() => SiteState.open(path, pins)).toThrow(refused('E_QUARANTINE'));
    }
  });

  it('goes on when the process died between the database and the counter', () => {
    const path = stateFolder();
    const state = opened(path);
    new AttemptJournal(state).save(attempt(Step.joined, 'r0'));
    copyFileSync(join(path, 'anchor', 'counter'), join(path, 'before'));
    new AttemptJournal(state).save(attempt(Step.shared, 'r1'));
    closed(state);
    copyFileSync(join(path, 'before'), join(path, 'anchor', 'counter'));
    expect(new AttemptJournal(opened(path)).find(run, 0, 0)?.step).toBe(Step.shared);
  });
});
