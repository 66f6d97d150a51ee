import { describe, expect, it } from '@jest/globals';
import { runList } from './documents.js';

const run = {
  ...{ run: `run_${'07'.repeat(16)}`, name: 'toy', status: 'RUNNING', since: 1, created: 1, sites: 5 },
  ...{ rounds: { closed: 0, of: 3 }, reason: null },
};

describe('the list of runs', () => {
  it.each([8.64e15 + 1, -1e300, 1e300])('is refused with the time %d, which cannot be shown', (since) => {
    expect(runList.safeParse({ runs: [{ ...run, since }] }).success).toBe(false);
    expect(runList.safeParse({ runs: [{ ...run, created: since }] }).success).toBe(false);
    expect(runList.safeParse({ runs: [run] }).success).toBe(true);
  });
});
