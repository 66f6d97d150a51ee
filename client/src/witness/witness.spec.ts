import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sha256, utf8 } from '@regulon/shared/crypto';
import { digestText, entryHash, LogTree, signCheckpoint } from '@regulon/shared/transparency';
import { origin, run, seedOf, signedEntry, testFederation } from '../policy/site.support.js';
import { Outbox, SiteState } from '../state/index.js';
import { SignedGate } from './checkpoint-gate.js';
import { CompactTree } from './compact-tree.js';
import { LogFollower } from './log-follower.js';
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

const start = (): Uint8Array =>
  signedEntry(
    'run.start',
    'coordinator',
    0,
    {
      ...{ planHash: digest, proposal: 0, approvals: [], sites: [1, 2, 3, 4, 5] },
      ...{ initialModel: null, featureSpecification: null, public: true },
    },
    { run },
  );
const note = (id: number): Uint8Array =>
  signedEntry('config.start', 'site', id, {
    nonce: 'ab'.repeat(32),
    version: '1',
    software: null,
    configuration: null,
  });
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

function newFollower(): LogFollower {
  const outbox = new Outbox(state, () => ({ seq: 0, bytes: note(1), hash: entryHash(note(1)) }));
  return new LogFollower(state, outbox, { ...federation, site: 'a' }, async (from, to) =>
    log.entries.slice(from, to),
  );
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
});

describe('the gate', () => {
  const gate = (): SignedGate => new SignedGate(follower, 1);
  const request = (round: number, deadline = 60_000, startIndex: number | null = 1) => ({
    ...{ run, round, startIndex, deadlineMs: Date.now() + deadline, signal: new AbortController().signal },
  });

  it('opens the first rounds when the start of the run is covered, later ones by the closed rounds', async () => {
    await follower.follow(log.add(note(2), start()).note());
    expect((await gate().pass(request(0))).size).toBe(3);
    expect((await gate().pass(request(1))).size).toBe(3);
    await expect(gate().pass(request(2, 20))).rejects.toThrow(refused('E_GATE'));
    await follower.follow(log.add(aggregate(0)).note());
    expect((await gate().pass(request(2))).size).toBe(4);
    await expect(gate().pass(request(3, 20))).rejects.toThrow(refused('E_GATE'));
  });

  it('opens as soon as the missing checkpoint comes', async () => {
    await follower.follow(log.add(note(2)).note());
    const passing = gate().pass(request(0));
    await follower.follow(log.add(start()).note());
    expect((await passing).size).toBe(3);
  });

  it('stays closed before the start of this daemon is covered', async () => {
    await follower.follow(log.add(note(2), start()).note());
    await expect(gate().pass(request(0, 20, 3))).rejects.toThrow(/start of this site's daemon/);
    await expect(gate().pass(request(0, 20, null))).rejects.toThrow(refused('E_GATE'));
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
