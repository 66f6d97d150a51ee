import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes } from '@regulon/shared/crypto';
import { digestText, entryHash, type FederationKeys, parseEntry } from '@regulon/shared/transparency';
import { fillLog, joined, pruneLog, SampleLog, signSampleRoster } from '@regulon/shared/transparency-samples';
import { Outbox } from '../state/index.js';
import { opened } from '../state/state.support.js';
import { LogFollower } from './log-follower.js';
import type { LogSource } from './log-source.js';
import { showing } from './witness.support.js';

const refused = (code: string, message = ''): object =>
  expect.objectContaining({ code, message: expect.stringContaining(message) as unknown });
type Spoiled = Parameters<typeof pruneLog>[1];

/** A log whose first 256 entries are to go, with words of a steward and a site among them. */
function log(spoil: Spoiled = {}, change: (log: SampleLog) => void = () => undefined): SampleLog {
  const sample = new SampleLog({ retention: [{ class: 'brief', days: 0 }] });
  const { entry, attachment } = sample.federation.policy('site-2');
  sample.attach(attachment, 'application/json');
  sample.add(entry);
  for (let i = 0; i < 2; i++) sample.write(['site', 'site-1'], 'config.start', {}, started);
  change(sample);
  pruneLog(sample, spoil);
  return sample;
}
const started = { nonce: 'ab'.repeat(32), version: '1', software: null, configuration: null };

/** A daemon of a site that holds its first entries of the log. */
class Daemon {
  readonly state = opened();
  readonly outbox: Outbox;
  follower!: LogFollower;

  constructor(
    private readonly sample: SampleLog,
    private readonly site = 'site-9',
    private readonly versions: readonly FederationKeys[] = [sample.history.until(0)[0]!],
  ) {
    const own = sample.entries.filter((bytes) => parseEntry(bytes).actor.id === site);
    this.outbox = new Outbox(this.state, ({ previous }) => {
      const seq = previous === undefined ? 0 : parseEntry(previous).seq + 1;
      const bytes = own[seq] ?? canonicalJsonBytes({});
      return { seq, bytes, hash: entryHash(bytes) };
    });
    this.restart();
  }

  /** Another process, before which the coordinator shows this. */
  restart(shown: Partial<LogSource> = {}, genesis = this.sample.federation.genesisEntry): void {
    const { versions, site, sample } = this;
    const keys = versions.at(-1)!;
    const source = { ...showing(sample.entries, 256, sample.attachments), ...shown };
    this.follower = new LogFollower(this.state, this.outbox, { keys, versions, genesis, site }, source);
  }

  follow(size?: number): Promise<unknown> {
    return this.follower.follow(this.sample.note(size));
  }

  /** Verify the first entries of a log while all are there. */
  async saw(size: number, sample = this.sample): Promise<this> {
    this.restart(showing(sample.entries));
    await this.follower.follow(sample.note(size));
    this.restart();
    return this;
  }
}

describe('a site that never read what was pruned', () => {
  it('begins at the baseline that a quorum signed, and knows what that repeats', async () => {
    const sample = log({}, (l) => void l.write(['steward', 'site-2'], 'dataset.withdraw', {}, gone));
    const daemon = new Daemon(sample);
    await daemon.follow();
    expect(daemon.follower.latest).toMatchObject({
      size: sample.entries.length,
      root: sample.rootAt(sample.entries.length),
    });
    expect(daemon.follower.withdrawals().isWithdrawn('site-2', 'toy')).toBe(true);
    daemon.restart();
    fillLog(sample, sample.entries.length + 300);
    await daemon.follow();
    expect(daemon.follower.latest.size).toBe(sample.entries.length);
  });
  const gone = { dataset: 'toy', scope: 'all', reason: 'consent' } as const;

  it('follows the changes of the membership among what was pruned, under the rosters that it pinned', async () => {
    const sample = log({}, (l) => void l.change(signSampleRoster(joined(l.federation.roster, 6), [1, 2, 3])));
    const newcomer = new Daemon(sample, 'site-9', sample.history.versions);
    await newcomer.follow();
    expect(newcomer.follower.coversRosters(sample.entries.length)).toBe(true);
    await expect(new Daemon(sample).follow()).rejects.toThrow(refused('E_ROSTER', 'has installed version 1'));
  });

  it('is none whose entries stand in the log: a database that lost them is no new site', async () => {
    await expect(new Daemon(log(), 'site-1').follow()).rejects.toThrow(refused('E_QUARANTINE'));
  });

  it.each<[string, Spoiled, string]>([
    [
      'three of the five members signed',
      { sites: ['site-1', 'site-2', 'site-3'] },
      '3 members have signed the baseline of 256 entries that are missing, 4 are needed',
    ],
    [
      'its chain is another one',
      { state: (s) => ({ ...s, chain: digestText(new Uint8Array(32)) }) },
      'another root or chain',
    ],
    ['its root is another one', { body: { root: digestText(new Uint8Array(32)) } }, 'another root or chain'],
    [
      'it repeats an entry elsewhere',
      { state: (s) => ({ ...s, repeated: s.repeated.map((r, i) => (i === 1 ? { ...r, index: 2 } : r)) }) },
      'repeats another entry 2',
    ],
    [
      'it repeats an entry twice',
      { state: (s) => ({ ...s, repeated: s.repeated.map((r, i) => (i === 1 ? { ...r, index: 0 } : r)) }) },
      'out of its place',
    ],
    [
      'it names a head behind its end',
      { state: (s) => ({ ...s, heads: s.heads.map((h) => ({ ...h, index: 300 })) }) },
      'names entry 300',
    ],
    ['it is over another number of entries', { state: (s) => ({ ...s, size: 512 }) }, 'is not there'],
    ['the pruning names another entry', { prune: { baseline: 300 } }, 'no log.prune with a baseline'],
    ['the pruning is of other entries', { prune: { size: 512 } }, 'no log.prune with a baseline'],
  ])('begins with none when %s', async (_, spoil, message) => {
    const daemon = new Daemon(log(spoil));
    await expect(daemon.follow()).rejects.toThrow(refused('E_VERIFY', message));
    expect(daemon.follower.latest.size).toBe(0);
    expect(daemon.state.db.prepare('SELECT count(*) AS n FROM seen').get()).toEqual({ n: 0 });
    expect(daemon.state.get('baseline-begun')).toBeUndefined();
  });

  it.each<[string, (sample: SampleLog) => Partial<LogSource>, string, string]>([
    [
      'another hash',
      (l) => ({
        hashes: async (from, to) => ({
          hashes: l.entries
            .slice(from, to)
            .map((e, i) => entryHash(from + i === 200 ? new Uint8Array(1) : e)),
          minimum: 256,
        }),
      }),
      'E_VERIFY',
      'another root or chain',
    ],
    [
      'too few hashes',
      (l) => ({
        hashes: async (from, to) => ({
          hashes: l.entries.slice(from, Math.min(to, 99)).map(entryHash),
          minimum: 256,
        }),
      }),
      'E_VERIFY',
      'no hash of entry 99',
    ],
    [
      'half a bundle as the beginning',
      () => ({ hashes: async () => ({ hashes: [], minimum: 200 }) }),
      'E_VERIFY',
      'pruned up to 200',
    ],
    [
      'a beginning behind the checkpoint',
      () => ({ hashes: async () => ({ hashes: [], minimum: 5120 }) }),
      'E_VERIFY',
      'pruned up to 5120',
    ],
    [
      'other bytes as the state',
      () => ({ attachment: async () => new Uint8Array(9) }),
      'E_VERIFY',
      'is not there',
    ],
    [
      'another entry behind the baseline',
      (l) => showing([...l.entries.slice(0, -1), l.entries[9]!], 256, l.attachments),
      'E_FORK',
      'does not follow from the log',
    ],
    [
      'entries that it has pruned, too',
      (l) => ({ entries: showing(l.entries, 512).entries }),
      'E_PRUNED',
      '',
    ],
  ])('begins with none when the coordinator shows %s', async (_, shown, code, message) => {
    const sample = log();
    fillLog(sample, 270);
    const daemon = new Daemon(sample);
    daemon.restart(shown(sample));
    await expect(daemon.follow()).rejects.toThrow(refused(code, message));
    expect(daemon.follower.latest.size).toBe(0);
  });

  it('begins with no other genesis than the one it holds', async () => {
    const daemon = new Daemon(log());
    daemon.restart({}, canonicalJsonBytes({}));
    await expect(daemon.follow()).rejects.toThrow(refused('E_FORK', 'entry 0'));
  });

  it('takes no signature that is not the member’s', async () => {
    const sample = log();
    const at = sample.entries.findIndex((bytes) => parseEntry(bytes).kind === 'log.baseline');
    const text = Buffer.from(sample.entries[at + 1]!).toString();
    sample.entries[at + 1] = Buffer.from(text.replace(/"sig":"...../, '"sig":"AAAAA'));
    await expect(new Daemon(sample).follow()).rejects.toThrow(refused('E_LOG_ENTRY', 'signature'));
  });
});

describe('a coordinator that shows one log for the quorum and another for the root', () => {
  it('makes no member of who did not sign', async () => {
    const sample = log({ sites: ['site-1', 'site-2', 'site-3'] });
    const forged = Buffer.from(sample.entries[258]!).toString().replaceAll('site-2', 'site-4');
    const lie = [...sample.entries.slice(0, -1), Buffer.from(forged), sample.entries.at(-1)!];
    const daemon = new Daemon(sample);
    let reads = 0;
    daemon.restart({
      entries: (from, to) => showing(reads++ < 2 ? lie : sample.entries, 256).entries(from, to),
    });
    await expect(daemon.follow()).rejects.toThrow(refused('E_LOG_ENTRY'));
    expect([reads, daemon.follower.latest.size]).toEqual([2, 0]);
  });
});

describe('a site that was away while the log was pruned', () => {
  it('goes on from what it has verified, and finds its own entries by their hashes', async () => {
    const sample = log({ sites: ['site-2', 'site-3', 'site-4', 'site-5'] });
    const daemon = new Daemon(sample, 'site-1');
    for (let i = 0; i < 2; i++) daemon.outbox.append('config.start', {}, started);
    await daemon.saw(3);
    expect(daemon.outbox.at(1)?.index).toBeNull();
    await daemon.follow();
    expect([0, 1].map((seq) => daemon.outbox.at(seq)?.index)).toEqual([2, 3]);
    expect(daemon.follower.latest.size).toBe(sample.entries.length);
  });

  it('sees a fork when other entries went than those that it has verified', async () => {
    const other = new SampleLog({ retention: [{ class: 'brief', days: 0 }] });
    fillLog(other, 9);
    const daemon = await new Daemon(log()).saw(3, other);
    await expect(daemon.follow()).rejects.toThrow(refused('E_FORK', 'other entries than the 3'));
    expect(daemon.follower.latest).toMatchObject({ size: 3, root: other.rootAt(3) });
  });

  it.each<[string, Spoiled, string]>([
    ['its entries', { state: (s) => ({ ...s, heads: [] }) }, 'as if entry 0 of this site'],
    [
      'where they stand',
      { state: (s) => ({ ...s, heads: s.heads.map((h) => (h.id === 'site-1' ? { ...h, seq: 2 } : h)) }) },
      'number 2',
    ],
  ])('takes no baseline that is wrong about %s', async (_, spoil, message) => {
    const daemon = new Daemon(log(spoil), 'site-1');
    for (let i = 0; i < 2; i++) daemon.outbox.append('config.start', {}, started);
    await daemon.saw(3);
    await expect(daemon.follow()).rejects.toThrow(message);
    expect(daemon.follower.latest.size).toBe(3);
  });

  it('is not led back: entries that it has verified are asked for no more', async () => {
    const sample = log();
    const daemon = await new Daemon(sample).saw(258);
    const [kept, none] = [showing(sample.entries, 256), showing(sample.entries, 512)];
    daemon.restart({ entries: (from, to) => (from === 258 ? none : kept).entries(from, to) });
    await expect(daemon.follow()).rejects.toThrow(
      refused('E_VERIFY', 'keeps the log from 256 on, and does not show its entry 258'),
    );
    expect(daemon.follower.latest.size).toBe(258);
  });
});
