import { describe, expect, it } from '@jest/globals';
import { drop, wordsOf } from './drop.js';
import { TestHeap } from './heap.support.js';

describe.each([true, false])('drop (SIMD: %s)', (simd) => {
  it.each([4, 7, 32])('keeps what its word allows, times the scale; %i elements', (n) => {
    const heap = new TestHeap();
    const [words, x, out] = [heap.array(n), heap.array(n), heap.array(n)];
    // both sides of the threshold, and words above 2³¹: a signed comparison would be wrong
    wordsOf(words).set([0, 0x3fffffff, 0x40000000, 0xffffffff]);
    const rate = 0.25;
    drop({ words, x, out }, { rate, scale: 4 / 3 }, simd ? heap.kernels : undefined);
    expect([...out.subarray(0, 2)]).toEqual([0, 0]);
    out.forEach((v, i) => {
      const expected = wordsOf(words)[i]! / 2 ** 32 < rate ? 0 : x[i]! * Math.fround(4 / 3);
      expect(v).toBeCloseTo(expected, 6);
    });
    expect(out[3]).not.toBe(0);
  });
});
