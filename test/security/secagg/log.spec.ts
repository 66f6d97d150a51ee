import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { LogTree, entryHash, signCheckpoint, verifyCheckpoint } from '@regulon/shared/transparency';
import { LogGate } from '@regulon/client/witness';
import { origin, run, seedOf } from '../../../client/src/policy/site.support.js';
import {
  aggregate,
  agreement,
  commits,
  federation,
  FollowingSite,
  note,
  start,
  TestLog,
} from '../../../client/src/witness/witness.support.js';
import { refused } from '../support/refused.js';

let site: FollowingSite;
beforeEach(async () => {
  site = new FollowingSite();
  await site.follower.follow(site.log.add(...commits(), note(2), start(), aggregate(0)).note());
});
afterEach(() => site.state.close());

/** The coordinator shows another log from now on. */
function show(log: TestLog): string {
  site.log.entries.splice(0, Infinity, ...log.entries);
  return log.note();
}
const gate = (): LogGate => new LogGate(site.follower, { mode: 'signed', gateLag: 1, maxAgeSeconds: 60 });
const request = (round: number, milliseconds = 20) => ({
  ...{ run, round, agreement, startIndex: 1, deadlineMs: Date.now() + milliseconds },
  signal: new AbortController().signal,
});
const copy = (): TestLog => new TestLog().add(...site.log.entries.slice(1));

describe('D3: a log that is cut or forked, gate mode signed', () => {
  it('D3 what was seen is cut off and other entries take its place: E_FORK, evidence is kept, the gate stays shut', async () => {
    const cut = new TestLog().add(...site.log.entries.slice(1, -1), note(3), note(4));
    const size = cut.entries.length;
    await expect(site.follower.follow(show(cut))).rejects.toThrow(refused('E_FORK'));
    expect(site.state.get(`fork:${size}`)).toContain(hex(site.follower.latest.root));
    await expect(gate().pass(request(3))).rejects.toThrow(refused('E_GATE'));
  });

  it('D3 a checkpoint over entries that are not shown is E_FORK', async () => {
    const claimed = copy().add(aggregate(1), aggregate(2));
    const text = claimed.note();
    await expect(site.follower.follow(text)).rejects.toThrow(refused('E_FORK', /does not show its entry/));
    await expect(gate().pass(request(3))).rejects.toThrow(refused('E_GATE'));
  });

  it('D3 another root for the same size is E_FORK', async () => {
    const tree = new LogTree();
    site.log.entries.forEach((entry) => tree.append(entryHash(entry)));
    tree.append(entryHash(note(5)));
    const other = { origin, size: site.log.entries.length, root: tree.root() };
    const text = signCheckpoint(other, { keyName: origin, seed: seedOf('log') });
    await expect(site.follower.follow(text)).rejects.toThrow(refused('E_FORK'));
  });

  it('D3 one entry changed deep in the past, under any size, is E_FORK', async () => {
    for (let k = 1; k < site.log.entries.length; k++) {
      const entries = [...site.log.entries];
      entries[k] = note(5);
      const forged = new TestLog().add(...entries.slice(1), aggregate(1));
      const before = [...site.log.entries];
      // only what is new is read again: the changed entry shows in the root
      await expect(site.follower.follow(show(forged))).rejects.toThrow(refused('E_FORK'));
      site.log.entries.splice(0, Infinity, ...before);
    }
    expect(site.follower.latest.size).toBe(site.log.entries.length);
  });

  it('D3 a cut log without a new checkpoint leaves the gate shut: E_GATE', async () => {
    site.log.entries.splice(3);
    await site.follower.follow(site.log.note());
    await expect(gate().pass(request(3))).rejects.toThrow(refused('E_GATE', /the end of round 1/));
  });

  it('D3 an honest log opens the gate (positive control of the harness)', async () => {
    await site.follower.follow(site.log.add(aggregate(1)).note());
    await expect(gate().pass(request(3, 60_000))).resolves.toMatchObject({ size: site.log.entries.length });
  });

  it('D3 control: by its signature alone every one of those checkpoints is good', () => {
    const forged = new TestLog().add(note(3), note(4)).note();
    expect(verifyCheckpoint(forged, federation.keys.logKey).size).toBe(3);
  });

  it('D3 two logs for two groups of sites are not noticed in mode signed, but two checkpoints convict the log key', async () => {
    const elsewhere = new FollowingSite();
    try {
      const [here, there] = [copy().add(aggregate(1)), copy().add(note(3))];
      elsewhere.log.entries.splice(0, Infinity, ...there.entries);
      await elsewhere.follower.follow(there.note());
      await site.follower.follow(show(here));
      const [one, other] = [site.follower.latest, elsewhere.follower.latest];
      expect(one.size).toBe(other.size);
      expect(hex(one.root)).not.toBe(hex(other.root));
      // whoever is shown the other group's log stops
      await expect(site.follower.follow(there.note())).rejects.toThrow(refused('E_FORK'));
    } finally {
      elsewhere.state.close();
    }
  });
});
