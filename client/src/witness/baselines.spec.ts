import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes } from '@regulon/shared/crypto';
import {
  BaselineBuilder,
  type BodyOf,
  digestText,
  keysOfGenesis,
  LogTree,
  MediaType,
  parseEntry,
} from '@regulon/shared/transparency';
import { fillLog, pruneLog, SampleLog, writeBaseline } from '@regulon/shared/transparency-samples';
import { entryHash } from '@regulon/shared/transparency';
import { Outbox } from '../state/index.js';
import { opened } from '../state/state.support.js';
import { entrySealer } from '../rounds/attempt/entries.js';
import { Baselines } from './baselines.js';
import { LogFollower } from './log-follower.js';
import type { ReadEntries } from './log-source.js';
import { showing } from './witness.support.js';

const refused = (code: string): object => expect.objectContaining({ code });

/** A site that has verified a log with one proposal, and what its coordinator shows now. */
function site(
  spoil: Parameters<typeof writeBaseline>[2] = {},
  change: (log: SampleLog) => void = () => undefined,
  log = new SampleLog(),
  clock: () => number = Date.now,
) {
  const at = writeBaseline(log, [], spoil);
  const tree = new LogTree();
  log.entries.forEach((bytes) => tree.append(entryHash(bytes)));
  const head = { origin: 'x', size: tree.size, root: tree.root() };
  const proposed = proposalAt(log, at);
  change(log);
  const keys = keysOfGenesis(parseEntry(log.federation.genesisEntry), (digest) =>
    log.attachments.get(digest),
  );
  const state = opened();
  const seed = log.federation.seedOf('site', 'site-1');
  const outbox = new Outbox(state, entrySealer(keys, keys.fed, 'site-1', seed));
  const follower = { latest: head, proposedBaselines: () => [proposed], prunedStart: notPruned };
  const read = (from: number, to: number): Promise<Uint8Array[]> =>
    Promise.resolve(log.entries.slice(from, to));
  const baselines = new Baselines(state, outbox, follower, read, keys.genesis.retention, clock);
  const said = (): unknown[] => outbox.unsent().map(({ bytes }) => parseEntry(bytes).body);
  return { baselines, said, proposed };
}

const notPruned = (): Promise<never> => Promise.reject(new TypeError('nothing was pruned'));

/** What the baseline at an index says. */
function proposalAt(log: SampleLog, index: number): BodyOf<'log.baseline'> {
  const entry = parseEntry(log.entries[index] ?? new Uint8Array(0));
  if (entry.kind !== 'log.baseline') throw new TypeError(entry.kind);
  return entry.body;
}

describe('the baselines that a site signs', () => {
  it('are those that the verified log gives, each once', async () => {
    const { baselines, said, proposed } = site();
    expect([await baselines.sign(), await baselines.sign()]).toEqual([1, 0]);
    expect(said()).toEqual([proposed]);
  });

  it('go on from the last one when the entries before it were pruned', async () => {
    const log = new SampleLog({ retention: [{ class: 'brief', days: 0 }] });
    const { name } = log.federation.roster.members[0] ?? { name: '' };
    const keys = keysOfGenesis(parseEntry(log.federation.genesisEntry), (d) => log.attachments.get(d));
    const state = opened();
    const outbox = new Outbox(state, entrySealer(keys, keys.fed, name, log.federation.seedOf('site', name)));
    const proposals = [proposalAt(log, writeBaseline(log, []))];
    const follower = {
      get latest() {
        const tree = new LogTree();
        log.entries.forEach((bytes) => tree.append(entryHash(bytes)));
        return { origin: 'x', size: tree.size, root: tree.root() };
      },
      proposedBaselines: () => proposals,
      prunedStart: notPruned,
    };
    let minimum = 0;
    const read: ReadEntries = (from, to) => showing(log.entries, minimum).entries(from, to);
    const baselines = new Baselines(state, outbox, follower, read, keys.genesis.retention);
    expect(await baselines.sign()).toBe(1);
    minimum = 256;
    const builder = new BaselineBuilder();
    fillLog(log, 512);
    log.entries.slice(0, 512).forEach((bytes) => builder.add(bytes));
    const { root, bytes } = builder.baseline();
    const body = { size: 512, root: digestText(root), state: log.attach(bytes, MediaType.json) };
    proposals.push(proposalAt(log, log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body)));
    expect(await baselines.sign()).toBe(1);
    expect(outbox.unsent().map((entry) => parseEntry(entry.bytes).body)).toEqual(proposals);
  });

  it('are derived from the one of a quorum by a site that signed none; what lies before that it leaves unsaid', async () => {
    const log = new SampleLog({ retention: [{ class: 'brief', days: 0 }] });
    const [state, name] = [opened(), 'site-5'];
    const keys = keysOfGenesis(parseEntry(log.federation.genesisEntry), (d) => log.attachments.get(d));
    const outbox = new Outbox(state, entrySealer(keys, keys.fed, name, log.federation.seedOf('site', name)));
    const federation = { keys, genesis: log.federation.genesisEntry, site: name };
    pruneLog(log, { sites: ['site-1', 'site-2', 'site-3', 'site-4'] });
    fillLog(log, 512);
    const builder = new BaselineBuilder();
    log.entries.slice(0, 512).forEach((bytes) => builder.add(bytes));
    const { root, bytes } = builder.baseline();
    const body = { size: 512, root: digestText(root), state: log.attach(bytes, MediaType.json) };
    log.write(['coordinator', 'coordinator'], 'log.baseline', {}, body);
    for (const whole of [true, false]) {
      const source = showing(log.entries, 256, log.attachments);
      const shown = whole ? showing(log.entries) : source;
      const follower = new LogFollower(state, outbox, federation, shown);
      await follower.follow(log.note());
      const begun = new LogFollower(state, outbox, federation, source);
      const baselines = new Baselines(state, outbox, begun, source.entries, keys.genesis.retention);
      expect([await baselines.sign(), await baselines.sign()]).toEqual(whole ? [1, 0] : [0, 0]);
    }
    expect(outbox.unsent().map((entry) => parseEntry(entry.bytes).body)).toEqual([body]);

    // who never read what went began with the first one, and signs only the second
    const fresh = opened();
    const words = new Outbox(fresh, entrySealer(keys, keys.fed, name, log.federation.seedOf('site', name)));
    const source = showing(log.entries, 256, log.attachments);
    const newcomer = new LogFollower(fresh, words, federation, source);
    await newcomer.follow(log.note());
    expect(await new Baselines(fresh, words, newcomer, source.entries, keys.genesis.retention).sign()).toBe(
      1,
    );
    expect(words.unsent().map((entry) => parseEntry(entry.bytes).body)).toEqual([body]);
  });

  it('are none before the longest class of entry 0 has ended for the youngest entry that would go or stay first', async () => {
    const classes = [
      { class: 'brief', days: 1 },
      { class: 'long', days: 30 },
    ];
    const log = new SampleLog({ retention: classes });
    let now = 0;
    let read = 0;
    const { baselines, said, proposed } = site(
      {},
      () => undefined,
      log,
      () => now,
    );
    const times = log.entries.slice(0, proposed.size + 1).map((bytes) => Date.parse(parseEntry(bytes).at));
    const ends = Math.max(...times) + 30 * 86_400_000;
    now = ends - 1;
    await expect(baselines.sign()).rejects.toThrow(new Date(ends).toISOString());
    const slice = log.entries.slice.bind(log.entries);
    log.entries.slice = (from, to) => {
      read += 1;
      return slice(from, to);
    };
    expect([await baselines.sign(), read, said()]).toEqual([0, 0, []]);
    now = ends;
    expect(await baselines.sign()).toBe(1);
    expect(said()).toEqual([proposed]);
  });

  it('are none that state anything else', async () => {
    const { baselines, said } = site({ state: (s) => ({ ...s, heads: [] }) });
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    expect(await baselines.sign()).toBe(0);
    expect(said()).toEqual([]);
  });

  it('are none from entries other than the verified ones, and are judged again later', async () => {
    const other = canonicalJsonBytes({});
    const { baselines, said } = site({}, (log) => void (log.entries[256] = other));
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    await expect(baselines.sign()).rejects.toThrow('other entries than the 257');
    expect(said()).toEqual([]);
  });

  it('are none when the coordinator shows fewer entries', async () => {
    const { baselines, said } = site({}, (log) => void log.entries.splice(100));
    await expect(baselines.sign()).rejects.toThrow(refused('E_VERIFY'));
    expect(said()).toEqual([]);
  });
});
