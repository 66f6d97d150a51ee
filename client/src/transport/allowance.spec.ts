import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Allowance } from './allowance.js';

const KIB = 1024;

describe('the time for an answer', () => {
  let expired: number;
  beforeEach(() => {
    jest.useFakeTimers({ now: 0 });
    expired = 0;
  });
  afterEach(() => void jest.useRealTimers());

  const allowance = (mostBytes: number): Allowance => new Allowance(30_000, mostBytes, Date.now);

  it('is over after the fixed time when nothing comes', () => {
    const silent = allowance(16 << 20);
    silent.watch(() => expired++);
    jest.advanceTimersByTime(29_999);
    expect({ expired, isOver: silent.isOver }).toEqual({ expired: 0, isOver: false });
    jest.advanceTimersByTime(1);
    expect({ expired, isOver: silent.isOver }).toEqual({ expired: 1, isOver: true });
  });

  it('lets 16 MiB come at 64 KiB a second, and one that stops half-way is late 30 s after its share', () => {
    const slow = allowance(16 << 20);
    slow.watch(() => expired++);
    for (let second = 0; second < 256; second++) {
      jest.advanceTimersByTime(1000);
      slow.received(64 * KIB);
    }
    expect(expired).toBe(0);
    jest.advanceTimersByTime(29_999);
    expect(expired).toBe(0);
    jest.advanceTimersByTime(1);
    expect(expired).toBe(1);
  });

  it('ends a peer that drips: half the least rate is given up after a minute', () => {
    const drip = allowance(16 << 20);
    drip.watch(() => expired++);
    for (let second = 0; second < 62; second++) {
      jest.advanceTimersByTime(1000);
      drip.received(32 * KIB);
    }
    expect(expired).toBe(1);
  });

  it('grants no more for what comes again and again than for the whole answer', () => {
    const again = allowance(640 * KIB);
    for (let i = 0; i < 100; i++) again.received(640 * KIB);
    expect(again.deadlineMs).toBe(40_000);
    expect(again.latestMs).toBe(40_000);
  });

  it('is no longer watched once the answer is there', () => {
    allowance(0).watch(() => expired++)();
    jest.advanceTimersByTime(60_000);
    expect(expired).toBe(0);
  });
});
