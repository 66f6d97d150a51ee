import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256 } from '@regulon/shared/crypto';
import { planHashOf } from '@regulon/shared/plan';
import { digestText, parseEntry, signCheckpoint } from '@regulon/shared/transparency';
import {
  approvalBy,
  datasetBy,
  origin,
  run,
  second,
  seedOf,
  signedEntry,
  testPlan,
} from '../policy/site.support.js';
import {
  aggregate,
  commits,
  digest,
  federation,
  FollowingSite,
  note,
  showing,
  start,
  TestLog,
} from './witness.support.js';

const refused = (code: string): object => expect.objectContaining({ code });
let site: FollowingSite;

beforeEach(() => {
  site = new FollowingSite();
});
afterEach(() => site.state.close());

describe('following the log', () => {
  it('recomputes each root and goes on from there after a restart', async () => {
    await site.follower.follow(site.log.add(start(), note(2)).note());
    expect(site.follower.latest.size).toBe(3);
    site.restart();
    expect(site.follower.latest.size).toBe(3);
    await site.follower.follow(site.log.add(aggregate(0)).note());
    expect(site.follower.has('round.aggregate', run, 0)).toBe(true);
    expect(site.follower.aggregateOf(run, 0)?.transcript).toBe(digest);
  });

  it('goes on over a pruned log that it has followed', async () => {
    await site.follower.follow(site.log.add(start(), note(2)).note(2));
    site.restart(undefined, showing(site.log.entries, 2));
    await site.follower.follow(site.log.note());
    expect(site.follower.latest.size).toBe(3);
  });

  it('refuses a checkpoint that the log key did not sign', async () => {
    await expect(site.follower.follow(site.log.note(1, seedOf('other')))).rejects.toThrow(
      refused('E_VERIFY'),
    );
  });

  it('refuses a log that was rewritten since the last checkpoint, and one that hides entries', async () => {
    await site.follower.follow(site.log.add(start(), note(2), note(3)).note());
    const forged = new TestLog().add(start(), note(3), note(2), note(4));
    site.log.entries.splice(0, Infinity, ...forged.entries);
    await expect(site.follower.follow(forged.note())).rejects.toThrow(refused('E_FORK'));
    const claimed = new TestLog().add(start(), note(2), note(3), note(4), note(5)).note();
    await expect(site.follower.follow(claimed)).rejects.toThrow(refused('E_FORK'));
    expect(site.follower.latest.size).toBe(4);
  });

  it('tells the log once of a checkpoint that it refuses, with both notes', async () => {
    const held = site.log.add(start(), note(2)).note();
    await site.follower.follow(held);
    const offered = new TestLog().add(start(), note(3)).note();
    await expect(site.follower.follow(offered)).rejects.toThrow(refused('E_FORK'));
    site.restart();
    await expect(site.follower.follow(offered)).rejects.toThrow(refused('E_FORK'));
    const [row, ...more] = site.outbox.unsent();
    expect([row?.kind, more]).toEqual(['witness.refusal', []]);
    const bytes = row?.bytes ?? new Uint8Array(0);
    expect(parseEntry(bytes).body).toMatchObject({ code: 'E_FORK', shown: { size: 3 } });
    const texts = site.follower.attachmentsOf(bytes).map((text) => Buffer.from(text).toString());
    expect(texts).toEqual([held, offered]);
    expect(parseEntry(bytes).body).toMatchObject({
      held: { digest: digestText(sha256(Buffer.from(held))) },
      offered: { digest: digestText(sha256(Buffer.from(offered))) },
    });
  });

  it('refuses two roots for one size, and another genesis', async () => {
    await site.follower.follow(site.log.add(start()).note());
    await expect(site.follower.follow(new TestLog().add(note(2)).note())).rejects.toThrow(refused('E_FORK'));
    site.log.entries[0] = start();
    site.restart();
    site.state.db.exec('DELETE FROM witness');
    site.restart();
    await expect(site.follower.follow(site.log.note())).rejects.toThrow(refused('E_FORK'));
  });

  it('ignores an older checkpoint', async () => {
    await site.follower.follow(site.log.add(start(), note(2)).note());
    await site.follower.follow(site.log.note(2));
    expect(site.follower.latest.size).toBe(3);
  });

  it('sees that its database was restored when the log holds an own entry that it does not know', async () => {
    await expect(site.follower.follow(site.log.add(note(1)).note())).rejects.toThrow(refused('E_QUARANTINE'));
  });

  it('tells an entry that only bears its name from one that it has forgotten', async () => {
    const forged = Buffer.from(note(1))
      .toString()
      .replace(/"sig":"...../, '"sig":"AAAAA');
    expect(forged).not.toBe(Buffer.from(note(1)).toString());
    await expect(site.follower.follow(site.log.add(Buffer.from(forged)).note())).rejects.toThrow(
      refused('E_FORK'),
    );
  });

  it('shows what the sites say of closed rounds, from a position on, from the verified log only', async () => {
    const audited = { tiles: [], count: 1, result: 'differ' };
    const ack = (id: number): Uint8Array =>
      signedEntry(
        'round.ack',
        'site',
        id,
        { context: digest, modelOut: digest, receipt: null, audited },
        { run, round: 2, attempt: 0 },
      );
    await site.follower.follow(site.log.add(ack(2), aggregate(2), ack(3)).note());
    site.log.add(ack(4));
    const seen = (from: number) =>
      site.follower.entriesOf('round.ack', run, from).map(({ index, entry }) => [index, entry.actor.id]);
    expect(seen(0)).toEqual([
      [1, 'b'],
      [3, 'c'],
    ]);
    expect(seen(2)).toEqual([[3, 'c']]);
  });

  it('knows the newest commitment of a site, from the verified log only', async () => {
    const later = datasetBy(3, { version: 2, simulated: false }, second);
    await site.follower.follow(site.log.add(...commits()).note());
    expect(site.follower.latestCommit('c', 'toy')?.version).toBe(1);
    site.log.add(later);
    expect(site.follower.latestCommit('c', 'toy')?.version).toBe(1);
    await site.follower.follow(site.log.note());
    expect(site.follower.latestCommit('c', 'toy')).toMatchObject({ version: 2, simulated: false });
    site.restart();
    expect(site.follower.latestCommit('c', 'toy')?.version).toBe(2);
    expect(site.follower.latestCommit('c', 'other')).toBeUndefined();
  });
});

describe('words on consent', () => {
  const plan = testPlan();
  const about = { planHash: digestText(planHashOf(plan)), reason: 'consent' };
  const withdrawn = (): Uint8Array => signedEntry('plan.withdraw', 'steward', 2, about, second);

  it('do not come back: an approval that the log shows again behind its withdrawal is a fork', async () => {
    const approval = approvalBy(2, plan);
    await site.follower.follow(site.log.add(...commits().slice(0, 1), approval, withdrawn()).note());
    expect(site.follower.withdrawals().refusalOf('b', about.planHash)).toBe('withdrawn');
    site.restart();
    await expect(site.follower.follow(site.log.add(approval).note())).rejects.toThrow(refused('E_FORK'));
    expect(site.follower.withdrawals().refusalOf('b', about.planHash)).toBe('withdrawn');
  });

  it('do not come late: an approval behind a withdrawal that was said after it is a fork', async () => {
    const log = site.log.add(withdrawn(), approvalBy(2, plan));
    await expect(site.follower.follow(log.note())).rejects.toThrow(refused('E_FORK'));
  });

  it('of a site: data that were taken back stay so when they are committed to again, by whom ever', async () => {
    const gone = { dataset: 'toy', scope: 'commitment', reason: 'consent' };
    await site.follower.follow(
      site.log.add(datasetBy(2), signedEntry('dataset.withdraw', 'steward', 2, gone, second)).note(),
    );
    const { body } = parseEntry(datasetBy(2));
    const again = signedEntry('dataset.commit', 'site', 2, { ...body, public: false, simulated: false });
    await site.follower.follow(site.log.add(again).note());
    expect(site.follower.withdrawals().isWithdrawn('b', 'toy')).toBe(true);
    const third = { ...second, seq: 2 };
    const other = datasetBy(2, { version: 2, commitment: digestText(new Uint8Array(32).fill(9)) }, third);
    await site.follower.follow(site.log.add(other).note());
    expect(site.follower.withdrawals().isWithdrawn('b', 'toy')).toBe(false);
  });
});

describe('the place of own entries in the log', () => {
  it('is the one that the log shows, not the one that the coordinator says', async () => {
    await site.acknowledged(2);
    expect(site.outbox.at(0)?.index).toBeNull();
    await site.follower.follow(site.log.add(note(2)).note());
    expect(site.outbox.at(0)?.index).toBeNull();
    await site.follower.follow(site.log.add(note(1)).note());
    expect(site.outbox.at(0)?.index).toBe(2);
  });

  it('is known before the coordinator has answered, and after a restart', async () => {
    site.outbox.append('config.start', {}, {});
    await site.follower.follow(site.log.add(note(1)).note());
    site.restart();
    expect(site.outbox.at(0)?.index).toBe(1);
    expect(site.outbox.unsent()).toEqual([]);
  });

  it.each([
    ['the genesis', 0],
    ['an entry of somebody else', 1],
  ])('is not where %s stands: the log is forked', async (_, index) => {
    await site.acknowledged(index);
    await expect(site.follower.follow(site.log.add(note(2)).note())).rejects.toThrow(refused('E_FORK'));
    expect(site.follower.latest.size).toBe(0);
    expect(site.state.get('fork:2')).toContain('note');
  });

  it('is missed also when the checkpoint had been seen before the coordinator answered', async () => {
    await site.follower.follow(site.log.add(note(2)).note());
    await site.acknowledged(1);
    await expect(site.follower.follow(site.log.note())).rejects.toThrow(refused('E_FORK'));
  });

  it('is not another one than the coordinator said, and not two', async () => {
    await site.acknowledged(3);
    await expect(site.follower.follow(site.log.add(note(2), note(1)).note())).rejects.toThrow(
      refused('E_FORK'),
    );
    site.log.entries.splice(1, Infinity, note(2), note(3), note(1), note(1));
    await expect(site.follower.follow(site.log.note())).rejects.toThrow(/out of its order/);
    await site.follower.follow(site.log.note(4));
    await expect(site.follower.follow(site.log.note())).rejects.toThrow(/out of its order/);
  });
});

describe('a checkpoint that claims a long log', () => {
  const signed = (size: number): string =>
    signCheckpoint({ origin, size, root: sha256() }, { keyName: origin, seed: seedOf('log') });

  it('is refused before anything is read', async () => {
    const read: number[] = [];
    site.restart(undefined, { entries: async (from) => (read.push(from), site.log.entries) });
    await expect(site.follower.follow(signed(1e15))).rejects.toThrow(refused('E_VERIFY'));
    expect(read).toEqual([]);
  });

  it('takes no more than its limit, and leaves nothing behind', async () => {
    let read = 0;
    const count = () => site.state.db.prepare('SELECT count(*) AS n FROM seen').get();
    const endless = async (from: number, to: number): Promise<Uint8Array[]> => {
      read += to - from;
      return Array.from({ length: to - from }, (_, i) => (from + i === 0 ? federation.genesis : start()));
    };
    site.restart({ entries: 100_000, bytes: 400 * start().length }, { entries: endless });
    await expect(site.follower.follow(signed(50_000))).rejects.toThrow(refused('E_VERIFY'));
    expect(read).toBe(512);
    expect(count()).toEqual({ n: 0 });
    site.restart({ entries: 100_000, bytes: 1000 * start().length }, { entries: endless });
    await expect(site.follower.follow(signed(600))).rejects.toThrow(refused('E_FORK'));
    expect(count()).toEqual({ n: 0 });
    expect(site.follower.has('run.start', run, null)).toBe(false);
  });

  it('counts for nothing while its root is not known', async () => {
    let seen: boolean | undefined;
    site.log.add(...Array.from({ length: 600 }, () => start()));
    site.restart(undefined, {
      entries: async (from, to) => {
        if (from > 0) seen = site.follower.has('run.start', run, null);
        return site.log.entries.slice(from, to);
      },
    });
    await site.follower.follow(site.log.note());
    expect(seen).toBe(false);
    expect(site.follower.startsOf(run)).toHaveLength(2);
  });
});
