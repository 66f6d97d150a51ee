import { describe, expect, it } from '@jest/globals';
import { SampleLog } from '../../transparency-samples/index.js';
import { verifyBundle } from './verify-bundle.js';

const [a, b, c] = ['a', 'b', 'c'].map((digit) => `sha256:${digit.repeat(64)}`) as [string, string, string];

/** What row L3 says of a log in which parties state configurations: a digest or null starts, a pair changes. */
function rowOf(...stated: [site: string, said: string | null | [string | null, string]][]) {
  const log = new SampleLog();
  for (const [site, said] of stated) {
    const start = { nonce: '0'.repeat(64), version: '0.1.0', software: null };
    if (Array.isArray(said))
      log.write(['site', site], 'config.change', {}, { before: said[0], after: said[1] });
    else log.write(['site', site], 'config.start', {}, { ...start, configuration: said });
  }
  const asOf = new Date(Date.UTC(2026, 10, 21));
  const { rules } = verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
  const row = rules.find(({ id }) => id === 'L3');
  return row?.status === 'fail' ? row.evidence : row?.status;
}

describe('row L3: configurations', () => {
  it('holds when each party states the one that it stated last, or a change from it', () => {
    expect(rowOf(['site-1', a], ['site-1', a], ['site-1', [a, b]], ['site-1', b], ['site-2', c])).toBe(
      'pass',
    );
    expect(rowOf(['site-1', [null, a]], ['site-1', a], ['site-1', null], ['site-1', [a, c]])).toBe('pass');
  });

  it.each([
    [
      'starts under another one without a change',
      [
        ['site-1', a],
        ['site-1', b],
      ],
      [2],
    ],
    [
      'changes from one that it did not state',
      [
        ['site-1', a],
        ['site-1', [b, c]],
      ],
      [2],
    ],
    ['changes from one before it stated any', [['site-1', [b, c]]], [1]],
    [
      'states a first one twice',
      [
        ['site-1', [null, a]],
        ['site-1', [null, b]],
      ],
      [2],
    ],
  ] as [string, Parameters<typeof rowOf>, number[]][])('fails for a party that %s', (_, stated, at) => {
    expect(rowOf(...stated)).toEqual(at);
  });
});
