import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { cosignatureTimes, parseNote, withCosignatures } from '@regulon/shared/transparency';
import { run, seedOf, siteNames, testFederation } from '../policy/site.support.js';
import { LogGate } from './checkpoint-gate.js';
import { Cosigner } from './cosigner.js';
import { agreement, aggregate, commits, FollowingSite, note, start, TestLog } from './witness.support.js';

const { keys } = testFederation('cosigned');
const refused = (code: string): object => expect.objectContaining({ code });
const HOUR = 3_600_000;
let site: FollowingSite;
let now: number;

/** Site a, in gate mode cosigned, as another process with the same state. */
function restart(): void {
  site.cosigner = new Cosigner(site.state, keys, 'a', seedOf('cosigner', 1), () => now);
  site.restart();
}

/** The cosignature of a member, as a witness elsewhere makes it. */
function cosignatureOf(name: string, checkpoint: string, seconds: number): Uint8Array {
  const elsewhere = new FollowingSite();
  const seed = seedOf('cosigner', siteNames.findIndex((other) => other === name) + 1);
  const cosigner = new Cosigner(elsewhere.state, keys, name, seed, () => 1000 * seconds);
  const [, size = '0'] = checkpoint.split('\n');
  const root = new Uint8Array(Buffer.from(checkpoint.split('\n')[2] ?? '', 'base64'));
  const { cosignature } = cosigner.sign(checkpoint, {
    origin: keys.genesis.origin,
    size: Number(size),
    root,
  });
  elsewhere.state.close();
  return cosignature;
}

const cosigned = (checkpoint: string, names: readonly string[], seconds = now / 1000): string =>
  withCosignatures(
    checkpoint,
    keys.witnesses,
    new Map(names.map((name) => [name, cosignatureOf(name, checkpoint, seconds)])),
  );

beforeEach(() => {
  now = Date.UTC(2026, 10, 21, 12);
  site = new FollowingSite();
  restart();
  site.log.add(...commits(), note(2), start());
});
afterEach(() => site.state.close());

describe('a site as a witness', () => {
  const own = keys.witnesses[0]?.key ?? keys.logKey;

  it('finds the latest of its times without looking at all of them', () => {
    const plan = site.state.db.prepare('EXPLAIN QUERY PLAN SELECT max(time) FROM cosigned').all();
    expect(plan).toMatchObject([{ detail: expect.stringMatching(/^SEARCH cosigned USING .*cosigned_time/) }]);
  });

  it('cosigns each checkpoint that it has followed, under its own key and its own clock', async () => {
    const checkpoint = site.log.note();
    const cosignature = await site.follower.follow(checkpoint);
    expect(cosignature?.size).toBe(site.log.entries.length);
    const lines = new Map([['a', cosignature?.cosignature ?? new Uint8Array()]]);
    const times = cosignatureTimes(withCosignatures(checkpoint, keys.witnesses, lines), own);
    expect(times).toEqual([now / 1000]);
  });

  it('has written it down before it signs, and signs the same again after a crash', async () => {
    const checkpoint = site.log.note();
    const first = await site.follower.follow(checkpoint);
    now += HOUR / 2;
    restart();
    expect(await site.follower.follow(checkpoint)).toEqual(first);
    now += HOUR;
    const later = await site.follower.follow(checkpoint);
    expect(later?.cosignature).not.toEqual(first?.cosignature);
  });

  it('never states an earlier time for a larger log, whatever its clock does', async () => {
    await site.follower.follow(site.log.note());
    const before = now / 1000;
    now -= 2 * HOUR;
    const checkpoint = site.log.add(aggregate(0)).note();
    const cosignature = await site.follower.follow(checkpoint);
    const lines = new Map([['a', cosignature?.cosignature ?? new Uint8Array()]]);
    expect(cosignatureTimes(withCosignatures(checkpoint, keys.witnesses, lines), own)).toEqual([before]);
  });

  it('is not bound by times of a clock far ahead that never reached the coordinator, once it has refused one', async () => {
    const timeOf = (cosignature: Uint8Array | undefined): number =>
      Number(Buffer.from(cosignature ?? new Uint8Array(8)).readBigUInt64BE(0));
    now += 3650 * 24 * HOUR;
    await site.follower.follow(site.log.note());
    now -= 3650 * 24 * HOUR;
    restart();
    const refusedOne = await site.follower.follow(site.log.add(aggregate(0)).note());
    expect(timeOf(refusedOne?.cosignature)).toBeGreaterThan(now / 1000);
    site.follower.takeBackCosignature(refusedOne?.size ?? 0);
    const next = await site.follower.follow(site.log.add(aggregate(1)).note());
    expect(timeOf(next?.cosignature)).toBe(now / 1000);
  });

  it('signs no older checkpoint, no forked one, and none while the coordinator owes it an entry', async () => {
    const older = site.log.note();
    await site.follower.follow(older);
    await site.follower.follow(site.log.add(aggregate(0)).note());
    expect(await site.follower.follow(older)).toBeUndefined();
    const fork = new TestLog();
    fork.add(...commits(), note(3), start());
    await expect(site.follower.follow(fork.note())).rejects.toThrow(refused('E_FORK'));
    await expect(site.follower.follow(fork.add(aggregate(0), aggregate(1)).note())).rejects.toThrow(
      refused('E_FORK'),
    );
    await site.acknowledged(100);
    site.clock += 601_000;
    expect(await site.follower.follow(site.log.add(aggregate(1)).note())).toBeUndefined();
  });

  it('is no witness under a name or a key that entry 0 does not give it', () => {
    expect(() => new Cosigner(site.state, keys, 'z', seedOf('cosigner', 1))).toThrow(refused('E_CONFIG'));
    expect(() => new Cosigner(site.state, keys, 'a', seedOf('cosigner', 2))).toThrow(refused('E_CONFIG'));
  });
});

describe('the gate in mode cosigned', () => {
  const gate = (gateLag = 1): LogGate =>
    new LogGate(site.follower, { mode: 'cosigned', gateLag, maxAgeSeconds: 86_400 }, () => now);
  const request = (round: number, startIndex = 1) => ({
    ...{ run, round, agreement, startIndex, deadlineMs: now + 20 },
    signal: new AbortController().signal,
  });
  const refusedGate = (round: number): Promise<void> =>
    expect(gate().pass(request(round))).rejects.toThrow(refused('E_GATE'));

  it('stays closed for a checkpoint that too few members cosigned, and opens for a quorum', async () => {
    const checkpoint = site.log.note();
    await site.follower.follow(checkpoint);
    await refusedGate(0);
    await site.follower.follow(cosigned(checkpoint, ['a', 'b', 'c']));
    await refusedGate(0);
    await site.follower.follow(cosigned(checkpoint, ['a', 'b', 'c', 'e']));
    expect((await gate().pass(request(0))).size).toBe(8);
    restart();
    expect((await gate().pass(request(0))).size).toBe(8);
  });

  it('counts what the quorum saw, not what only this site has followed', async () => {
    const first = site.log.note();
    await site.follower.follow(first);
    await site.follower.follow(site.log.add(aggregate(0)).note());
    await site.follower.follow(cosigned(first, siteNames));
    expect((await gate().pass(request(1))).size).toBe(8);
    await refusedGate(2);
    await site.follower.follow(cosigned(site.log.note(), siteNames));
    expect((await gate().pass(request(2))).size).toBe(9);
  });

  it('closes when the newest cosignature has become too old', async () => {
    await site.follower.follow(cosigned(site.log.note(), siteNames));
    now += 23 * HOUR;
    await gate().pass(request(0));
    now += 2 * HOUR;
    await expect(gate().pass(request(0))).rejects.toThrow(
      /quorum of cosignatures is older than 86400 s; nothing/,
    );
  });

  it('takes no line of a member that does not verify, and no two roots of one size', async () => {
    const checkpoint = site.log.note();
    const forged = new Map([['b', new Uint8Array(72).fill(7)]]);
    await expect(site.follower.follow(withCosignatures(checkpoint, keys.witnesses, forged))).rejects.toThrow(
      refused('E_VERIFY'),
    );
    await site.follower.follow(cosigned(checkpoint, siteNames));
    await site.follower.follow(site.log.add(aggregate(0)).note());
    const fork = new TestLog();
    fork.add(...commits(), note(3), start());
    await expect(site.follower.follow(cosigned(fork.note(), siteNames))).rejects.toThrow(refused('E_FORK'));
  });

  it('does not take one cosignature twice', async () => {
    const checkpoint = cosigned(site.log.note(), ['a', 'b', 'c']);
    const line = parseNote(checkpoint).signatures.at(-1);
    expect(line?.name).toMatch(/site\/c$/);
    const text = checkpoint.trimEnd().split('\n').at(-1) ?? '';
    await site.follower.follow(`${checkpoint}${text}\n`);
    await refusedGate(0);
  });
});
