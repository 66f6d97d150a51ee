import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { RoundRandomness } from './randomness.js';

const KEY = '5a'.repeat(32);

describe('RoundRandomness', () => {
  it('gives a permutation for every size, round and epoch', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(1000), fc.nat(10), (n, round, epoch) => {
        const order = new RoundRandomness(KEY, round).permutation(n, epoch);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
      }),
      { numRuns: 50 },
    );
  });

  it('repeats itself, and changes with round, epoch and secret', () => {
    const order = (key: string, round: number, epoch: number) =>
      new RoundRandomness(key, round).permutation(50, epoch).join();
    expect(order(KEY, 3, 1)).toBe(order(KEY, 3, 1));
    expect(
      new Set([order(KEY, 3, 1), order(KEY, 4, 1), order(KEY, 3, 2), order('00'.repeat(32), 3, 1)]).size,
    ).toBe(4);
  });

  it('gives every step and layer its own dropout numbers', () => {
    const random = new RoundRandomness(KEY, 0);
    const first = (step: number, layer: string) => random.dropout(step, layer).uniform();
    expect(first(1, 'a')).toBe(first(1, 'a'));
    expect(new Set([first(1, 'a'), first(2, 'a'), first(1, 'b')]).size).toBe(3);
  });
});
