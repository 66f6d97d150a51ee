import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { vouchedTimes } from './quorum.js';

describe('times that honest members vouch for', () => {
  it('leave f outermost ones out at either end', () => {
    expect(vouchedTimes([5, 1, 9, 3, 7], 1)).toEqual({ first: 3, last: 7 });
    expect(vouchedTimes([5, 1, 9, 3, 7], 0)).toEqual({ first: 1, last: 9 });
    expect(vouchedTimes([5, 1], 4)).toEqual({ first: 5, last: 1 });
  });

  it('lie between those of members who do not collude, whatever f others say', () => {
    const honest = fc.array(fc.integer({ min: 1000, max: 2000 }), { minLength: 3, maxLength: 9 });
    const others = fc.array(fc.integer({ min: 0, max: 5000 }), { maxLength: 2 });
    fc.assert(
      fc.property(honest, others, (times, lies) => {
        const { first, last } = vouchedTimes([...times, ...lies], lies.length);
        for (const time of [first, last]) {
          expect(time).toBeGreaterThanOrEqual(Math.min(...times));
          expect(time).toBeLessThanOrEqual(Math.max(...times));
        }
      }),
    );
  });
});
