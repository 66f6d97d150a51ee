import { describe, expect, it } from '@jest/globals';
import { HandClock } from '../rounds/hand-clock.support.js';
import { Leases, Presence } from './index.js';

describe('presence', () => {
  it('tells of a departure only after the grace period, and takes it back when the site returns', () => {
    const clock = new HandClock();
    const presence = new Presence([1, 2], clock, 100);
    const told: string[] = [];
    const tell = (what: string) => (site: number) => void told.push(`${what} ${site}`);
    presence.listen({
      connected: tell('connected'),
      disconnected: tell('disconnected'),
      departed: tell('departed'),
    });
    const stop = presence.add(1, () => undefined);
    clock.move(100);
    expect(told).toEqual(['connected 1', 'departed 2']);
    stop();
    clock.move(99);
    expect(presence.departed).toEqual([2]);
    clock.move(1);
    expect(presence.departed).toEqual([1, 2]);
    presence.add(1, () => undefined);
    expect([presence.connected, presence.departed]).toEqual([[1], [2]]);
  });

  it('counts a site as connected while one of its streams lives', () => {
    const presence = new Presence([1], new HandClock(), 100);
    const [old, fresh] = [presence.add(1, () => undefined), presence.add(1, () => undefined)];
    old();
    expect(presence.isConnected(1)).toBe(true);
    fresh();
    expect(presence.isConnected(1)).toBe(false);
  });

  it('announces to those who listen', () => {
    const presence = new Presence([1, 2], new HandClock(), 100);
    const heard: number[] = [];
    presence.add(1, () => void heard.push(1));
    presence.announce([1, 2], { type: 'run', run: new Uint8Array(16), state: 'running' });
    expect(heard).toEqual([1]);
  });
});

describe('leases', () => {
  const upload = (n: number): Uint8Array => new Uint8Array(16).fill(n);

  it('gives no more places than there are, and takes back what expired', () => {
    const clock = new HandClock();
    let lost = 0;
    const leases = new Leases(clock, 1, 50, () => lost++);
    expect(leases.acquire(1, upload(1))).not.toBeNull();
    expect(leases.acquire(2, upload(2))).toBeNull();
    clock.move(51);
    expect(leases.acquire(2, upload(2))).not.toBeNull();
    expect(lost).toBe(1);
  });

  it('is extended by progress, and renewed with a higher fence', () => {
    const clock = new HandClock();
    const leases = new Leases(clock, 1, 50);
    const first = leases.acquire(1, upload(1));
    clock.move(40);
    leases.extend(upload(1));
    clock.move(40);
    const second = leases.acquire(1, upload(1));
    expect((second?.fence ?? 0) > (first?.fence ?? 0)).toBe(true);
    expect(() => leases.check(1, upload(1), first?.id ?? upload(0))).toThrow(
      expect.objectContaining({ code: 'E_LEASE' }),
    );
    expect(leases.check(1, upload(1), second?.id ?? upload(0))).toBe(second?.fence);
    expect(() => leases.check(2, upload(1), second?.id ?? upload(0))).toThrow(
      expect.objectContaining({ code: 'E_LEASE' }),
    );
  });
});
