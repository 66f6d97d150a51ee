import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText, entryHash, LogTree, signCheckpoint } from '@regulon/shared/transparency';
import { verifyAgreement } from '../policy/index.js';
import {
  contractBytes,
  datasetBy,
  origin,
  run,
  seedOf,
  signedEntry,
  siteNames,
  testFederation,
  testPlan,
  testSite,
} from '../policy/site.support.js';
import { Outbox, SiteState } from '../state/index.js';
import { SignedGate } from './checkpoint-gate.js';
import { CompactTree } from './compact-tree.js';
import { type FollowLimits, LogFollower } from './log-follower.js';
import { temporaryFolder } from '../state/temporary-folder.support.js';

const federation = testFederation();
const digest = digestText(sha256());
const refused = (code: string): object => expect.objectContaining({ code });

/** A log in memory, as an honest or a lying coordinator shows it. */
class TestLog {
  readonly entries: Uint8Array[] = [federation.genesis];

  add(...entries: Uint8Array[]): this {
    this.entries.push(...entries);
    return this;
  }

  note(size = this.entries.length, seed = seedOf('log')): string {
    const tree = new LogTree();
    this.entries.forEach((entry) => tree.append(entryHash(entry)));
    return signCheckpoint({ origin, size, root: tree.root(size) }, { keyName: origin, seed });
  }
}

const agreement = verifyAgreement(
  ...([contractBytes(testPlan()), run, federation, testSite(federation)] as const),
  Date.parse('2026-11-21T00:00:00Z'),
);
const start = (changes: object = {}): Uint8Array =>
  signedEntry(
    'run.start',
    'coordinator',
    0,
    {
      ...{ planHash: digestText(agreement.contract.planHash), proposal: 0, approvals: [] },
      ...{ sites: [1, 2, 3, 4, 5], initialModel: null, featureSpecification: null, public: true, ...changes },
    },
    { run },
  );
const note = (id: number): Uint8Array =>
  signedEntry('config.start', 'site', id, {
    ...{ nonce: 'ab'.repeat(32), version: '1', software: null, configuration: null },
  });
const commits = (): Uint8Array[] => siteNames.map((_, i) => datasetBy(i + 1));
const aggregate = (round: number): Uint8Array =>
  signedEntry(
    'round.aggregate',
    'coordinator',
    0,
    {
      ...{ context: digest, u1: [1], u2: [1], u3: [1], h1: digest, h2: digest, h3: digest, dropped: [] },
      ...{
        contributions: [],
        unmasks: [],
        thresholds: { N: 5, M: 5, n: 5, c: 1, quorum: 4, t: 4, uMin: 4, h: 3 },
      },
      ...{ aggregateRoot: digest, transcript: digest, closeSignature: `${'A'.repeat(86)}==`, strategy: null },
      ...{
        serverNoise: null,
        modelOut: digest,
        coverage: { sites: 5, band: '100-199' },
        worker: 'local',
        fence: 1,
      },
      evidence: { digest, size: 1, mediaType: 'application/json' },
    },
    { run, round, attempt: 0 },
  );

let state: SiteState;
let log: TestLog;
let follower: LogFollower;
let outbox: Outbox;
let clock = 0;

beforeEach(() => {
  const folder = join(temporaryFolder('witness'), 'state');
  state = SiteState.open(folder, {
    site: 'a',
    federationId: 'fed_test',
    rosterHash: 'ab',
    identityKey: 'cd',
  });
  log = new TestLog();
  follower = newFollower();
});
afterEach(() => state.close());

/** Site a after a start of its process; its outbox may hold one entry, `note(1)`. */
function newFollower(
  limits?: FollowLimits,
  read = async (from: number, to: number) => log.entries.slice(from, to),
) {
  outbox = new Outbox(
    state,
    () => ({ seq: 0, bytes: note(1), hash: entryHash(note(1)) }),
    () => clock,
  );
  return new LogFollower(state, outbox, { ...federation, site: 'a' }, read, limits);
}

/** Site a writes `note(1)`, and the coordinator acknowledges it at this place. */
async function acknowledged(index: number): Promise<void> {
  outbox.append('config.start', {}, {});
  await outbox.drain(async () => index);
}

describe('following the log', () => {
  it('recomputes each root and goes on from there after a restart', async () => {
    await follower.follow(log.add(start(), note(2)).note());
    expect(follower.latest.size).toBe(3);
    follower = newFollower();
    expect(follower.latest.size).toBe(3);
    await follower.follow(log.add(aggregate(0)).note());
    expect(follower.has('round.aggregate', run, 0)).toBe(true);
    expect(follower.aggregateOf(run, 0)?.transcript).toBe(digest);
  });

  it('refuses a checkpoint that the log key did not sign', async () => {
    await expect(follower.follow(log.note(1, seedOf('other')))).rejects.toThrow(refused('E_VERIFY'));
  });

  it('refuses a log that was rewritten since the last checkpoint, and one that hides entries', async () => {
    await follower.follow(log.add(start(), note(2), note(3)).note());
    const forged = new TestLog().add(start(), note(3), note(2), note(4));
    log.entries.splice(0, Infinity, ...forged.entries);
    await expect(follower.follow(forged.note())).rejects.toThrow(refused('E_FORK'));
    const claimed = new TestLog().add(start(), note(2), note(3), note(4), note(5)).note();
    await expect(follower.follow(claimed)).rejects.toThrow(refused('E_FORK'));
    expect(follower.latest.size).toBe(4);
  });

  it('refuses two roots for one size, and another genesis', async () => {
    await follower.follow(log.add(start()).note());
    await expect(follower.follow(new TestLog().add(note(2)).note())).rejects.toThrow(refused('E_FORK'));
    log.entries[0] = start();
    follower = newFollower();
    state.db.exec('DELETE FROM witness');
    await expect(newFollower().follow(log.note())).rejects.toThrow(refused('E_FORK'));
  });

  it('ignores an older checkpoint', async () => {
    await follower.follow(log.add(start(), note(2)).note());
    await follower.follow(log.note(2));
    expect(follower.latest.size).toBe(3);
  });

  it('sees that its database was restored when the log holds an own entry that it does not know', async () => {
    await expect(follower.follow(log.add(note(1)).note())).rejects.toThrow(refused('E_QUARANTINE'));
  });

  it('knows the newest commitment of a site, from the verified log only', async () => {
    const later = datasetBy(3, { version: 2, simulated: false });
    await follower.follow(log.add(...commits()).note());
    expect(follower.latestCommit('c', 'toy')?.version).toBe(1);
    log.add(later);
    expect(follower.latestCommit('c', 'toy')?.version).toBe(1);
    await follower.follow(log.note());
    expect(follower.latestCommit('c', 'toy')).toMatchObject({ version: 2, simulated: false });
    expect(newFollower().latestCommit('c', 'toy')?.version).toBe(2);
    expect(follower.latestCommit('c', 'other')).toBeUndefined();
  });
});

describe('the place of own entries in the log', () => {
  it('is the one that the log shows, not the one that the coordinator says', async () => {
    await acknowledged(2);
    expect(outbox.at(0)?.index).toBeNull();
    await follower.follow(log.add(note(2)).note());
    expect(outbox.at(0)?.index).toBeNull();
    await follower.follow(log.add(note(1)).note());
    expect(outbox.at(0)?.index).toBe(2);
  });

  it('is known before the coordinator has answered, and after a restart', async () => {
    outbox.append('config.start', {}, {});
    await follower.follow(log.add(note(1)).note());
    follower = newFollower();
    expect(outbox.at(0)?.index).toBe(1);
    expect(outbox.unsent()).toEqual([]);
  });

  it.each([
    ['the genesis', 0],
    ['an entry of somebody else', 1],
  ])('is not where %s stands: the log is forked', async (_, index) => {
    await acknowledged(index);
    await expect(follower.follow(log.add(note(2)).note())).rejects.toThrow(refused('E_FORK'));
    expect(follower.latest.size).toBe(0);
    expect(state.get('fork:2')).toContain('note');
  });

  it('is missed also when the checkpoint had been seen before the coordinator answered', async () => {
    await follower.follow(log.add(note(2)).note());
    await acknowledged(1);
    await expect(follower.follow(log.note())).rejects.toThrow(refused('E_FORK'));
  });

  it('is not another one than the coordinator said, and not two', async () => {
    await acknowledged(3);
    await expect(follower.follow(log.add(note(2), note(1)).note())).rejects.toThrow(refused('E_FORK'));
    log.entries.splice(1, Infinity, note(2), note(3), note(1), note(1));
    await expect(follower.follow(log.note())).rejects.toThrow(/out of its order/);
    await follower.follow(log.note(4));
    await expect(follower.follow(log.note())).rejects.toThrow(/out of its order/);
  });
});

describe('a checkpoint that claims a long log', () => {
  const signed = (size: number): string =>
    signCheckpoint({ origin, size, root: sha256() }, { keyName: origin, seed: seedOf('log') });

  it('is refused before anything is read', async () => {
    const read: number[] = [];
    follower = newFollower(undefined, async (from) => (read.push(from), log.entries));
    await expect(follower.follow(signed(1e15))).rejects.toThrow(refused('E_VERIFY'));
    expect(read).toEqual([]);
  });

  it('takes no more than its limit, and leaves nothing behind', async () => {
    let read = 0;
    const endless = async (from: number, to: number): Promise<Uint8Array[]> => {
      read += to - from;
      return Array.from({ length: to - from }, (_, i) => (from + i === 0 ? federation.genesis : start()));
    };
    follower = newFollower({ entries: 100_000, bytes: 64 * start().length }, endless);
    await expect(follower.follow(signed(50_000))).rejects.toThrow(refused('E_VERIFY'));
    expect(read).toBe(256);
    follower = newFollower({ entries: 100_000, bytes: 1000 * start().length }, endless);
    await expect(follower.follow(signed(600))).rejects.toThrow(refused('E_FORK'));
    expect(state.db.prepare('SELECT count(*) AS n FROM seen').get()).toEqual({ n: 0 });
    expect(follower.has('run.start', run, null)).toBe(false);
  });

  it('counts for nothing while its root is not known', async () => {
    let seen: boolean | undefined;
    log.add(...Array.from({ length: 300 }, () => start()));
    follower = newFollower(undefined, async (from, to) => {
      if (from > 0) seen = follower.has('run.start', run, null);
      return log.entries.slice(from, to);
    });
    await follower.follow(log.note());
    expect(seen).toBe(false);
    expect(follower.startsOf(run)).toHaveLength(2);
  });
});

describe('the gate', () => {
  const gate = (): SignedGate => new SignedGate(follower, 1);
  const request = (round: number, deadline = 60_000, startIndex: number | null = 1) => ({
    ...{ run, round, agreement, startIndex, deadlineMs: Date.now() + deadline },
    signal: new AbortController().signal,
  });
  beforeEach(() => void log.add(...commits()));

  it('opens the first rounds when the start of the run is covered, later ones by the closed rounds', async () => {
    await follower.follow(log.add(note(2), start()).note());
    expect((await gate().pass(request(0))).size).toBe(8);
    expect((await gate().pass(request(1))).size).toBe(8);
    await expect(gate().pass(request(2, 20))).rejects.toThrow(refused('E_GATE'));
    await follower.follow(log.add(aggregate(0)).note());
    expect((await gate().pass(request(2))).size).toBe(9);
    await expect(gate().pass(request(3, 20))).rejects.toThrow(refused('E_GATE'));
  });

  it('opens as soon as the missing checkpoint comes', async () => {
    await follower.follow(log.add(note(2)).note());
    const passing = gate().pass(request(0));
    await follower.follow(log.add(start()).note());
    expect((await passing).size).toBe(8);
  });

  it.each<[string, object]>([
    ['plan', { planHash: digest }],
    ['sites', { sites: [1, 2, 3, 4] }],
    ['public', { public: false }],
  ])('does not open for a start of the run with another %s', async (_, change) => {
    await follower.follow(log.add(start(change)).note());
    await expect(gate().pass(request(0))).rejects.toThrow(refused('E_POLICY'));
  });

  it('does not open when a site has since committed to data that are not public, in any round', async () => {
    const closed = datasetBy(4, { version: 2, public: false, simulated: false });
    await follower.follow(log.add(start(), aggregate(0), closed).note());
    await expect(gate().pass(request(0))).rejects.toThrow(/site d has committed to another version/);
    await expect(gate().pass(request(2))).rejects.toThrow(refused('E_POLICY'));
  });

  it('does not open in a later round of a run that the log does not start', async () => {
    await follower.follow(log.add(aggregate(0)).note());
    await expect(gate().pass(request(2))).rejects.toThrow(refused('E_POLICY'));
  });

  it('stays closed before the start of this daemon is covered', async () => {
    await follower.follow(log.add(note(2), start()).note());
    await expect(gate().pass(request(0, 20, 8))).rejects.toThrow(/start of this site's daemon/);
    await expect(gate().pass(request(0, 20, null))).rejects.toThrow(refused('E_GATE'));
  });

  it('stays closed while the log hides an entry of this site that was acknowledged long ago', async () => {
    await acknowledged(1e9);
    await follower.follow(log.add(note(2), start()).note());
    expect((await gate().pass(request(0))).size).toBe(8);
    clock += 601_000;
    await expect(gate().pass(request(0, 20))).rejects.toThrow(/an entry of this site/);
  });

  it('ends its wait with the attempt', async () => {
    const life = new AbortController();
    const passing = gate().pass({ ...request(0), signal: life.signal });
    life.abort(new Error('the attempt has ended'));
    await expect(passing).rejects.toThrow('the attempt has ended');
  });
});

describe('the right edge of the log', () => {
  it('has the root of the whole tree at every size, also when restored', () => {
    const tree = new LogTree();
    let edge = CompactTree.empty();
    for (let size = 1; size <= 130; size++) {
      const leaf = sha256(utf8(String(size)));
      tree.append(leaf);
      edge.append(leaf);
      expect(edge.root()).toEqual(tree.root());
      edge = CompactTree.restore(edge.size, edge.edge);
    }
    expect(() => CompactTree.restore(3, new Uint8Array(32))).toThrow(refused('E_STATE_DB'));
  });
});
