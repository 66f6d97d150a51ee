import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { datasetBy, run, second } from '../policy/site.support.js';
import { LogGate } from './checkpoint-gate.js';
import {
  abort,
  aggregate,
  agreement,
  commits,
  digest,
  FollowingSite,
  note,
  start,
} from './witness.support.js';

const refused = (code: string): object => expect.objectContaining({ code });
let site: FollowingSite;

beforeEach(() => {
  site = new FollowingSite();
});
afterEach(() => site.state.close());

describe('the gate', () => {
  const gate = (): LogGate => new LogGate(site.follower, { mode: 'signed', gateLag: 1, maxAgeSeconds: 60 });
  const request = (round: number, deadline = 60_000, startIndex: number | null = 1) => ({
    ...{ run, round, agreement, startIndex, deadlineMs: Date.now() + deadline },
    signal: new AbortController().signal,
  });
  beforeEach(() => void site.log.add(...commits()));

  it('opens the first rounds when the start of the run is covered, later ones by the closed rounds', async () => {
    await site.follower.follow(site.log.add(note(2), start()).note());
    expect((await gate().pass(request(0))).size).toBe(8);
    expect((await gate().pass(request(1))).size).toBe(8);
    await expect(gate().pass(request(2, 20))).rejects.toThrow(refused('E_GATE'));
    await site.follower.follow(site.log.add(aggregate(0)).note());
    expect((await gate().pass(request(2))).size).toBe(9);
    await expect(gate().pass(request(3, 20))).rejects.toThrow(refused('E_GATE'));
  });

  it('does not open when the round before ended with an abort in the log: that is no sum to go on from', async () => {
    await site.follower.follow(site.log.add(start(), abort(0)).note());
    await expect(gate().pass(request(2, 20))).rejects.toThrow(/end of round 0/);
    await site.follower.follow(site.log.add(aggregate(0)).note());
    expect((await gate().pass(request(2))).size).toBe(9);
  });

  it('opens as soon as the missing checkpoint comes', async () => {
    await site.follower.follow(site.log.add(note(2)).note());
    const passing = gate().pass(request(0));
    await site.follower.follow(site.log.add(start()).note());
    expect((await passing).size).toBe(8);
  });

  it.each<[string, object]>([
    ['plan', { planHash: digest }],
    ['sites', { sites: [1, 2, 3, 4] }],
    ['public', { public: false }],
  ])('does not open for a start of the run with another %s', async (_, change) => {
    await site.follower.follow(site.log.add(start(change)).note());
    await expect(gate().pass(request(0))).rejects.toThrow(refused('E_POLICY'));
  });

  it('does not open when a site has since committed to data that are not public, in any round', async () => {
    const closed = datasetBy(4, { version: 2, public: false, simulated: false }, second);
    await site.follower.follow(site.log.add(start(), aggregate(0), closed).note());
    await expect(gate().pass(request(0))).rejects.toThrow(/site d has committed to another version/);
    await expect(gate().pass(request(2))).rejects.toThrow(refused('E_POLICY'));
  });

  it('does not open in a later round of a run that the log does not start', async () => {
    await site.follower.follow(site.log.add(aggregate(0)).note());
    await expect(gate().pass(request(2))).rejects.toThrow(refused('E_POLICY'));
  });

  it('stays closed before the start of this daemon is covered', async () => {
    await site.follower.follow(site.log.add(note(2), start()).note());
    await expect(gate().pass(request(0, 20, 8))).rejects.toThrow(/start of this site's daemon/);
    await expect(gate().pass(request(0, 20, null))).rejects.toThrow(refused('E_GATE'));
  });

  it('stays closed while the log hides an entry of this site that was acknowledged long ago', async () => {
    await site.acknowledged(1e9);
    await site.follower.follow(site.log.add(note(2), start()).note());
    expect((await gate().pass(request(0))).size).toBe(8);
    site.clock += 601_000;
    await expect(gate().pass(request(0, 20))).rejects.toThrow(/an entry of this site/);
  });

  it('ends its wait with the attempt', async () => {
    const life = new AbortController();
    const passing = gate().pass({ ...request(0), signal: life.signal });
    life.abort(new Error('the attempt has ended'));
    await expect(passing).rejects.toThrow('the attempt has ended');
  });
});
