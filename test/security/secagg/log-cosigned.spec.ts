import { copyFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Outbox, SiteState } from '@regulon/client/state';
import { Cosigner, LogFollower, LogGate } from '@regulon/client/witness';
import { concatBytes, u64 } from '@regulon/shared/crypto';
import {
  cosign,
  cosignersOf,
  parseCheckpoint,
  parseNote,
  withCosignatures,
} from '@regulon/shared/transparency';
import { origin, run, seedOf, siteNames, testFederation } from '../../../client/src/policy/site.support.js';
import {
  aggregate,
  agreement,
  commits,
  federation,
  FollowingSite,
  note,
  start,
  TestLog,
  showing,
} from '../../../client/src/witness/witness.support.js';
import { refused } from '../support/refused.js';

const { keys } = testFederation('cosigned');
const { quorum, colluders } = keys.genesis;
const DAY = 86_400;
const sites: FollowingSite[] = [];
let now: number;

/** An honest site of this name that follows the shown log. */
function honest(name: (typeof siteNames)[number]): FollowingSite {
  const site = new FollowingSite();
  const seed = seedOf('cosigner', siteNames.indexOf(name) + 1);
  site.cosigner = new Cosigner(site.state, keys, name, seed, () => now);
  site.restart();
  site.log.add(...commits(), note(2), start(), aggregate(0));
  sites.push(site);
  return site;
}

/** What a colluding member gives the coordinator for any note, with any time. */
function line(name: string, text: string, seconds = now / 1000): Uint8Array {
  const signer = {
    keyName: `${origin}/site/${name}`,
    seed: seedOf('cosigner', siteNames.findIndex((other) => other === name) + 1),
  };
  return cosign(parseNote(text).body, signer, seconds).signature;
}
const signedBy = (text: string, names: readonly string[], seconds?: number): string =>
  withCosignatures(text, keys.witnesses, new Map(names.map((name) => [name, line(name, text, seconds)])));

const gateOf = (site: FollowingSite, mode: 'signed' | 'cosigned' = 'cosigned'): LogGate =>
  new LogGate(site.follower, { mode, gateLag: 1, maxAgeSeconds: DAY }, () => now);
const request = (round: number) => ({
  ...{ run, round, agreement, startIndex: 1, deadlineMs: now + 20 },
  signal: new AbortController().signal,
});
const shut = (site: FollowingSite, round: number): Promise<void> =>
  expect(gateOf(site).pass(request(round))).rejects.toThrow(refused('E_GATE'));
const open = (site: FollowingSite, round: number, mode?: 'signed'): Promise<void> =>
  expect(gateOf(site, mode).pass(request(round))).resolves.toBeDefined();

beforeEach(() => {
  now = Date.UTC(2026, 10, 21, 12);
});
afterEach(() => sites.splice(0).forEach(({ state }) => state.close()));

describe('D3: a log that is forked, held back or replayed, gate mode cosigned', () => {
  it('D3 two logs for two groups: whatever f colluders sign, no gate opens twice; mode signed opens both', async () => {
    expect([quorum, colluders]).toEqual([4, 1]);
    const [here, there] = [honest('a'), honest('c')];
    here.log.add(aggregate(1));
    there.log.add(note(3));
    const [one, other] = [here.log.note(), there.log.note()];
    // e colludes and signs both
    await here.follower.follow(signedBy(one, ['a', 'b', 'e']));
    await there.follower.follow(signedBy(other, ['c', 'd', 'e']));
    await shut(here, 1);
    await shut(there, 1);
    await open(here, 1, 'signed');
    await open(there, 1, 'signed');
    // control: a second colluder is more than f, and the split works
    await here.follower.follow(signedBy(one, ['a', 'b', 'd', 'e']));
    await there.follower.follow(signedBy(other, ['b', 'c', 'd', 'e']));
    await open(here, 1);
    await open(there, 1);
  });

  it('D3 an old note with a quorum, shown again, does not stand for what came later; mode signed needs no quorum', async () => {
    const site = honest('a');
    const old = signedBy(site.log.note(), siteNames);
    await site.follower.follow(old);
    await open(site, 2);
    await site.follower.follow(site.log.add(aggregate(1)).note());
    await site.follower.follow(old);
    await shut(site, 3);
    await open(site, 3, 'signed');
    await site.follower.follow(signedBy(site.log.note(), siteNames));
    await site.follower.follow(old);
    await open(site, 3);
  });

  it('D3 lines of strangers, of one member many times, or under the name of another do not make a quorum', async () => {
    const site = honest('a');
    const text = site.log.note();
    const own = signedBy(text, ['e']).trimEnd().split('\n').at(-1) ?? '';
    const stranger = own.replace('/site/e ', '/site/z ');
    const lines = [...Array<string>(40).fill(own), ...Array<string>(40).fill(stranger)];
    await site.follower.follow(`${text}${lines.join('\n')}\n`);
    expect(site.follower.quorum).toBeNull();
    const renamed = new Map(['b', 'c', 'd', 'e'].map((name) => [name, line('e', text)]));
    await expect(site.follower.follow(withCosignatures(text, keys.witnesses, renamed))).rejects.toThrow(
      refused('E_VERIFY'),
    );
    await shut(site, 0);
    // control: as many lines, all of members
    await site.follower.follow(signedBy(text, ['b', 'c', 'd', 'e']));
    await open(site, 0);
  });

  it('D3 one forged line refuses the note and is kept as evidence; the note without it counts', async () => {
    const site = honest('a');
    const text = site.log.note();
    const forged = new Map(siteNames.map((name) => [name, line(name, text)]));
    forged.set('c', concatBytes(u64(now / 1000), new Uint8Array(64).fill(7)));
    const bad = withCosignatures(text, keys.witnesses, forged);
    await expect(site.follower.follow(bad)).rejects.toThrow(refused('E_VERIFY', /site\/c does not verify/));
    expect(site.state.get(`fork:${parseCheckpoint(text).size}`)).toContain('site/c');
    await shut(site, 0);
    await site.follower.follow(signedBy(text, ['a', 'b', 'd', 'e']));
    await open(site, 0);
  });

  it('D3 a quorum over another log, of a size that the site passed over, opens nothing', async () => {
    const site = honest('a');
    await site.follower.follow(site.log.add(aggregate(1), aggregate(2)).note());
    const fork = new TestLog().add(...commits(), note(3), start(), aggregate(0), aggregate(1));
    expect(fork.entries.length).toBe(site.log.entries.length - 1);
    await site.follower.follow(signedBy(fork.note(), siteNames));
    expect(site.follower.quorum).toBeNull();
    await shut(site, 1);
    await open(site, 1, 'signed');
  });

  it('D3 colluders cannot keep an old quorum young with times of the future, nor a young one old', async () => {
    const site = honest('a');
    const text = site.log.note();
    const far = Date.UTC(2040, 0, 1) / 1000;
    const aged = withCosignatures(
      text,
      keys.witnesses,
      new Map(siteNames.map((name) => [name, line(name, text, name === 'e' ? far : undefined)])),
    );
    await site.follower.follow(aged);
    await open(site, 0);
    now += 2 * DAY * 1000;
    await shut(site, 0);
    // control: by its newest line alone this note would not age for years
    expect(Math.max(...cosignersOf(aged, keys.witnesses).values())).toBe(far);
    await site.follower.follow(signedBy(text, ['a', 'b', 'c', 'd']));
    await open(site, 0);
  });

  it('D3 a flood of notes with a quorum leaves one note in the database', async () => {
    const site = honest('a');
    for (let round = 1; round <= 12; round++) {
      const text = signedBy(site.log.add(aggregate(round)).note(), siteNames);
      for (let times = 0; times < 3; times++) await site.follower.follow(text);
    }
    const rows = site.state.db.prepare('SELECT count(*) AS sizes, count(note) AS notes FROM cosigned').get();
    expect(rows).toEqual({ sizes: 12, notes: 1 });
  });
});

describe('D3: a witness whose clock or database goes back', () => {
  const timeOf = (cosignature: Uint8Array | undefined): number =>
    Number(Buffer.from(cosignature ?? new Uint8Array(8)).readBigUInt64BE(0));

  it('D3 a clock that was far ahead once binds only until the coordinator has refused its time', async () => {
    const [site, bound] = [honest('a'), honest('a')];
    now += 3650 * DAY * 1000;
    const wrong = await site.follower.follow(site.log.note());
    await bound.follower.follow(bound.log.note());
    site.follower.takeBackCosignature(wrong?.size ?? 0);
    now -= 3650 * DAY * 1000;
    const right = await site.follower.follow(site.log.add(aggregate(1)).note());
    expect(timeOf(right?.cosignature)).toBe(now / 1000);
    // control: a time that was taken binds
    const later = await bound.follower.follow(bound.log.add(aggregate(1)).note());
    expect(timeOf(later?.cosignature)).toBe(timeOf(wrong?.cosignature));
  });

  it('D3 a fork is not signed by a process that died between write and signature', async () => {
    const site = honest('a');
    await site.follower.follow(site.log.note());
    site.cosigner = new Cosigner(site.state, keys, 'a', seedOf('cosigner', 1), () => now);
    site.restart();
    const fork = new TestLog().add(...commits(), note(3), start(), aggregate(0));
    await expect(site.follower.follow(fork.note())).rejects.toThrow(refused('E_FORK'));
    expect((await site.follower.follow(site.log.note()))?.size).toBe(site.log.entries.length);
  });

  /** Cosign, put back the copy of before, and offer another log of the same size. */
  async function restored(whole: boolean): Promise<{ fork: string; state: () => SiteState; log: TestLog }> {
    const site = honest('a');
    sites.splice(0);
    const { state } = site;
    const folder = join(state.paths.database, '..');
    await site.follower.follow(site.log.note());
    state.db.pragma('wal_checkpoint(TRUNCATE)');
    copyFileSync(state.paths.database, `${folder}.sqlite`);
    cpSync(state.paths.anchor, `${folder}.anchor`, { recursive: true });
    await site.follower.follow(site.log.add(aggregate(1)).note());
    state.close();
    for (const suffix of ['-wal', '-shm']) rmSync(`${state.paths.database}${suffix}`, { force: true });
    copyFileSync(`${folder}.sqlite`, state.paths.database);
    if (whole) cpSync(`${folder}.anchor`, state.paths.anchor, { recursive: true });
    const log = new TestLog().add(...site.log.entries.slice(1, -1), note(3));
    const pins = { site: 'a', federationId: 'fed_test', rosterHash: 'ab', identityKey: 'cd' };
    return { fork: log.note(), log, state: () => SiteState.open(folder, pins) };
  }

  it('D3 a database of before a cosignature, put back, is E_QUARANTINE: no second root of one size', async () => {
    const { state } = await restored(false);
    expect(state).toThrow(refused('E_QUARANTINE'));
  });

  it('D3 control: with the counter beside it put back too, the witness signs another log of that size', async () => {
    const { state, fork, log } = await restored(true);
    const old = state();
    try {
      const outbox = new Outbox(old, () => {
        throw new TypeError('nothing is written');
      });
      const cosigner = new Cosigner(old, keys, 'a', seedOf('cosigner', 1), () => now);
      const source = showing(log.entries);
      const follower = new LogFollower(old, outbox, { ...federation, site: 'a' }, source, cosigner);
      expect((await follower.follow(fork))?.size).toBe(log.entries.length);
    } finally {
      old.close();
    }
  });
});
