import { describe, expect, it } from '@jest/globals';
import { type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { verifyBundle } from './verify-bundle.js';

/** The rows that fail, with what is wrong first. */
function failuresOf(options: SampleOptions): [string, string][] {
  const log = sampleRun(options);
  const asOf = new Date(Date.UTC(2026, 10, 21));
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  return rules.flatMap(({ id, status, note }) => (status === 'fail' ? [[id, note] as [string, string]] : []));
}

describe('a block that only some sites train', () => {
  it('passes while enough of its owners are in every sum, whoever else is missing', () => {
    expect(failuresOf({ owners: [1, 2, 3, 4] })).toEqual([]);
    expect(failuresOf({ owners: [1, 2, 3, 4], lost: 5 })).toEqual([]);
    expect(failuresOf({ lost: 2 })).toEqual([]);
  });

  it('fails the round that sums it over fewer, though the round covers enough sites', () => {
    expect(failuresOf({ owners: [1, 2, 3, 4], lost: 2 })).toEqual([
      ['S1', 'round 1: block omic is summed over 3 of its owners, below uMin = 4'],
    ]);
  });

  it('fails from the first training round on where it never had enough', () => {
    const few = 'block omic is summed over 3 of its owners, below uMin = 4';
    expect(failuresOf({ owners: [1, 2, 3] })).toEqual([['S1', `round 1: ${few}; round 2: ${few}`]]);
  });
});
