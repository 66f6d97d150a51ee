import { copyFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { sha256, u32, utf8 } from '@regulon/shared/crypto';
import { AnsweredTable, type AnsweredRow } from './answered.js';
import { AttemptJournal, Step } from './attempt-journal.js';
import { Ledger } from './ledger.js';
import { Outbox, type SealDraft } from './outbox.js';
import { RunJournal } from './run-journal.js';
import { SiteState } from './site-state.js';
import { temporaryFolder } from './temporary-folder.support.js';

const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
const refused = (code: string): object => expect.objectContaining({ code });
const run = `run_${'07'.repeat(16)}`;
const open: SiteState[] = [];

function folder(): string {
  return join(temporaryFolder('state'), 'state');
}

function opened(path: string): SiteState {
  const state = SiteState.open(path, pins);
  open.push(state);
  return state;
}

function closed(state: SiteState): void {
  open.splice(open.indexOf(state), 1);
  state.close();
}

afterEach(() => open.splice(0).forEach((state) => state.close()));

const attempt = (step: Step, snapshot: string) => ({
  ...{ run, round: 0, attempt: 0, step, facts: { h2: 'aa' }, snapshot: utf8(snapshot) },
  ...{ manifest: utf8('manifest'), signature: new Uint8Array(64) },
});

describe('the state folder', () => {
  it('belongs to one daemon at a time', () => {
    const path = folder();
    const state = opened(path);
    expect(() => SiteState.open(path, pins)).toThrow(refused('E_STATE_LOCKED'));
    closed(state);
    expect(() => opened(path)).not.toThrow();
  });

  it('belongs to one site and one roster', () => {
    const path = folder();
    closed(opened(path));
    expect(() => SiteState.open(path, { ...pins, rosterHash: 'ef' })).toThrow(refused('E_ROSTER'));
  });

  it('is quarantined when its database was restored from an old copy', () => {
    const path = folder();
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
      const path = folder();
      const state = opened(path);
      new AttemptJournal(state).save(attempt(Step.joined, 'r0'));
      new AttemptJournal(state).save(attempt(Step.shared, 'r1'));
      closed(state);
      rmSync(join(path, 'anchor', name));
      expect(() => SiteState.open(path, pins)).toThrow(refused('E_QUARANTINE'));
    }
  });

  it('goes on when the process died between the database and the counter', () => {
    const path = folder();
    const state = opened(path);
    new AttemptJournal(state).save(attempt(Step.joined, 'r0'));
    copyFileSync(join(path, 'anchor', 'counter'), join(path, 'before'));
    new AttemptJournal(state).save(attempt(Step.shared, 'r1'));
    closed(state);
    copyFileSync(join(path, 'before'), join(path, 'anchor', 'counter'));
    expect(new AttemptJournal(opened(path)).find(run, 0, 0)?.step).toBe(Step.shared);
  });
});

describe('the journal', () => {
  it('keeps round secrets sealed, each time under another nonce, and forgets them', () => {
    const state = opened(folder());
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
    const path = folder();
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
    const journal = new AttemptJournal(opened(folder()), () => now);
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

  it('keeps the rounding secret of a run until the run ends', () => {
    const runs = new RunJournal(opened(folder()));
    const { roundingSecret } = runs.begin(run, utf8('contract'));
    expect(runs.begin(run, utf8('other')).roundingSecret).toEqual(roundingSecret);
    expect(runs.find(run)?.contract).toEqual(utf8('contract'));
    runs.end(run, 'finished');
    expect(runs.find(run)).toMatchObject({ state: 'finished', roundingSecret: new Uint8Array(32) });
  });

  it('gives back the outcomes of closed rounds bit by bit', () => {
    const runs = new RunJournal(opened(folder()));
    runs.begin(run, utf8('contract'));
    const outcome = {
      ...{ round: 0, attempt: 1, survivors: [1, 2], extras: { weight: 0.1 + 0.2 } },
      ...{ sums: Float64Array.of(1 / 3, -0, 5e-324), transcript: sha256(), aggregateRoot: sha256() },
    };
    runs.saveOutcome(run, outcome);
    expect(runs.outcomes(run)).toEqual([outcome]);
  });
});

describe('the outbox', () => {
  const seal: SealDraft = ({ kind, previous }) => {
    const seq = previous ? (previous[0] ?? 0) + 1 : 0;
    const bytes = Uint8Array.of(seq, ...utf8(kind));
    return { seq, bytes, hash: sha256(bytes, previous ?? new Uint8Array()) };
  };
  const place = { run, round: 1, attempt: 0 };

  it('links each entry to the one before, and adds one of a kind and place once', () => {
    const outbox = new Outbox(opened(folder()), seal);
    const first = outbox.append('config.start', {}, {});
    const second = outbox.append('round.contribution', place, {});
    expect(outbox.append('round.contribution', place, { other: true })).toMatchObject({ seq: second.seq });
    expect([first.seq, second.seq, outbox.append('config.start', {}, {}).seq]).toEqual([0, 1, 2]);
    expect(second.hash).toEqual(sha256(second.bytes, first.bytes));
  });

  it('leaves no number behind when the transaction around it fails', () => {
    const state = opened(folder());
    const outbox = new Outbox(state, seal);
    expect(() =>
      state.transact('test', () => {
        outbox.append('round.contribution', place, {});
        throw new Error('crash');
      }),
    ).toThrow('crash');
    expect(outbox.append('config.start', {}, {}).seq).toBe(0);
  });

  it('sends in order until each entry has its index, also over a lost connection', async () => {
    const outbox = new Outbox(opened(folder()), seal);
    ['x', 'y', 'z'].forEach((kind) => outbox.append(kind, {}, {}));
    const sent: number[] = [];
    const send = async (bytes: Uint8Array): Promise<number> => {
      if (sent.length === 2) {
        sent.push(-1);
        throw new Error('connection lost');
      }
      sent.push(bytes[0] ?? -1);
      return 40 + (bytes[0] ?? 0);
    };
    await expect(outbox.drain(send)).rejects.toThrow('connection lost');
    await Promise.all([outbox.drain(send), outbox.drain(send)]);
    expect(sent).toEqual([0, 1, -1, 2]);
    expect(outbox.unsent()).toEqual([]);
  });

  it('believes a place in the log only when the log shows it', async () => {
    const state = opened(folder());
    const outbox = new Outbox(state, seal);
    const send = async (bytes: Uint8Array): Promise<number> => 40 + (bytes[0] ?? 0);
    ['x', 'y', 'z'].forEach((kind) => outbox.append(kind, {}, {}));
    await outbox.drain(send);
    expect([0, 1, 2].map((seq) => outbox.at(seq)?.index)).toEqual([null, null, null]);
    outbox.cover(41, new Map([[0, 40]]));
    expect([outbox.at(0)?.index, outbox.nextInLog()]).toEqual([40, 1]);
    // shown elsewhere, or not at all up to there
    expect(() => outbox.cover(42, new Map([[1, 39]]))).toThrow(refused('E_FORK'));
    expect(() => outbox.cover(42, new Map())).toThrow(refused('E_FORK'));
    expect(() =>
      outbox.cover(
        43,
        new Map([
          [1, 41],
          [2, 42],
        ]),
      ),
    ).not.toThrow();
  });

  it('does not take back a place that the log has shown', async () => {
    const outbox = new Outbox(opened(folder()), seal);
    outbox.append('x', {}, {});
    const late = outbox.drain(async () => {
      outbox.cover(8, new Map([[0, 7]]));
      return 6;
    });
    await expect(late).rejects.toThrow(refused('E_FORK'));
    expect(outbox.at(0)?.index).toBe(7);
  });

  it('knows when the log holds an entry of this site that it never wrote', () => {
    const outbox = new Outbox(opened(folder()), seal);
    const { hash } = outbox.append('x', {}, {});
    expect(() => outbox.verifyOwn(0, hash)).not.toThrow();
    expect(() => outbox.verifyOwn(0, sha256())).toThrow(refused('E_QUARANTINE'));
    expect(() => outbox.verifyOwn(1, hash)).toThrow(refused('E_QUARANTINE'));
  });
});

describe('the ledger', () => {
  const charge = (round: number) => ({ dataset: 'd', run, round, attempt: 0, event: { mechanism: 'none' } });

  it('charges an attempt once and chains the charges', () => {
    const ledger = new Ledger(opened(folder()));
    const first = ledger.charge(charge(0));
    expect(ledger.charge(charge(0))).toEqual(first);
    expect(ledger.charge(charge(1)).hash).not.toBe(first.hash);
    expect(ledger.size()).toBe(2);
  });

  it('lets nobody change or remove a charge', () => {
    const state = opened(folder());
    new Ledger(state).charge(charge(0));
    expect(() => state.db.exec('DELETE FROM ledger')).toThrow(/append-only/);
    expect(() => state.db.exec("UPDATE ledger SET event = ''")).toThrow(/append-only/);
  });
});

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
    const table = new AnsweredTable(opened(folder()));
    table.insert(row(0), false);
    expect(() => table.insert(row(0), false)).not.toThrow();
    expect(() => table.insert(row(0, { h3: sha256(u32(2)) }), false)).toThrow(refused('E_STATE'));
    expect(table.lastRound(run)).toBe(0);
  });

  it('is never released again under another round number or run', () => {
    const table = new AnsweredTable(opened(folder()));
    table.insert(row(0), false);
    expect(() => table.insert(row(1), false)).toThrow(refused('E_REPLAY'));
    expect(() => table.insert(row(0, { run: 'run_2' }), false)).toThrow(refused('E_REPLAY'));
  });

  it('is recognised before anything is trained for it; the same sum of another arm is judged in the end', () => {
    const table = new AnsweredTable(opened(folder()));
    expect(() => table.verifyFresh(row(0))).not.toThrow();
    table.insert(row(0), false);
    expect(() => table.verifyFresh(row(1))).toThrow(refused('E_REPLAY'));
    expect(() => table.verifyFresh(row(0, { run: 'run_2' }))).toThrow(refused('E_REPLAY'));
    expect(() => table.verifyFresh(row(1, { modelHash: 'n' }))).not.toThrow();
    expect(() => table.verifyFresh(row(1, { arm: 1 }))).not.toThrow();
  });

  it('may be repeated by another arm of the same sites, or under exact leave-site-out', () => {
    const table = new AnsweredTable(opened(folder()));
    table.insert(row(0), false);
    expect(() => table.insert(row(1, { arm: 1 }), false)).not.toThrow();
    expect(() => table.insert(row(2, { arm: 2, cohort: [1, 2] }), false)).toThrow(refused('E_REPLAY'));
    expect(() => table.insert(row(3, { arm: 3, cohort: [1, 2] }), true)).not.toThrow();
  });
});
