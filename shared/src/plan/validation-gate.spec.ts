import { describe, expect, it } from '@jest/globals';
import { hasWorsened } from './validation-gate.js';

describe('the validation gate', () => {
  it('compares with the lowest loss before, so that many small steps do not pass', () => {
    expect(hasWorsened([0.5, 0.75], 0.25)).toBe(false);
    expect(hasWorsened([0.5, 0.75 + 1e-9], 0.25)).toBe(true);
    expect(hasWorsened([0.5, 0.7, 0.9], 0.25)).toBe(true);
    expect(hasWorsened([0.9, 0.5, 0.7], 0.25)).toBe(false);
  });

  it('takes the first loss, and none that is no number after it', () => {
    expect(hasWorsened([], 0)).toBe(false);
    expect(hasWorsened([9], 0)).toBe(false);
    expect(hasWorsened([9, NaN], 1e9)).toBe(true);
  });
});
