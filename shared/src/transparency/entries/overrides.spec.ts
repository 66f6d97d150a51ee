import { describe, expect, it } from '@jest/globals';
import { notExcepted } from './overrides.js';

const digest = (digit: string): string => `sha256:${digit.repeat(64)}`;
const said: Parameters<typeof notExcepted>[0] = {
  ...{ planHash: digest('a'), policy: digest('b'), rule: 'purposes', justification: 'as agreed' },
  expires: '2026-11-21T00:00:00.000Z',
};
const wanted: Parameters<typeof notExcepted>[1] = {
  ...{ planHash: digest('a'), policy: digest('b'), rule: 'purposes' },
  at: '2026-11-21T00:00:00.000Z',
};

describe('an exception from a policy', () => {
  it('helps for its rule, its plan and its policy, until it expires', () => {
    expect(notExcepted(said, wanted)).toBeUndefined();
  });

  it.each<[string, Partial<typeof wanted>]>([
    ['it is for another rule', { rule: 'dataUse' }],
    ['it is for another plan', { planHash: digest('c') }],
    ['it is from another policy', { policy: digest('c') }],
    ['it expired at 2026-11-21T00:00:00.000Z', { at: '2026-11-21T00:00:00.001Z' }],
  ])('does not help when %s', (why, other) => {
    expect(notExcepted(said, { ...wanted, ...other })).toBe(why);
  });
});
