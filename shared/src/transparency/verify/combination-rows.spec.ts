import { describe, expect, it } from '@jest/globals';
import { type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { verifyBundle } from './verify-bundle.js';

function failuresOf(options: SampleOptions): [string, string][] {
  const log = sampleRun(options);
  const asOf = new Date(Date.UTC(2026, 10, 21));
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  return rules.flatMap(({ id, status, note }) => (status === 'fail' ? [[id, note] as [string, string]] : []));
}

describe('groups that the plan compares', () => {
  it('are none where it takes the mean', () => {
    expect(failuresOf({ combination: { combine: 'mean' } })).toEqual([]);
  });

  it.each([
    [{ combine: 'median' }, 'median', 3],
    [{ combine: 'trimmed-mean', trim: '2' }, 'trimmed-mean', 5],
  ] as const)('fail a training round that has too few of them: %j', (combination, rule, least) => {
    const few = `1 groups, and the ${rule} of the plan needs ${least}`;
    expect(failuresOf({ combination })).toEqual([['S1', `round 1: ${few}; round 2: ${few}`]]);
  });
});
