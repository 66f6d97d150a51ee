import { describe, expect, it } from '@jest/globals';
import { parseQuorumPolicy, quorumOf, quorumPolicyText } from './quorum-policy.js';
import { formatVkey, KeyType, verifierKeyOf } from './vkey.js';

const key = (n: number, type: KeyType): ReturnType<typeof verifierKeyOf> =>
  verifierKeyOf({ keyName: `log/${n}`, seed: new Uint8Array(32).fill(n) }, type);
const witnesses = [1, 2, 3].map((n) => ({ name: `site-${n}`, key: key(n, KeyType.cosigner) }));
const policy = { log: key(9, KeyType.log), witnesses, threshold: 3 };

describe('quorum policy', () => {
  it.each([
    [2, 0, 2],
    [3, 0, 2],
    [4, 0, 3],
    [5, 1, 4],
    [6, 2, 5],
    [7, 2, 5],
    [10, 3, 7],
    [50, 16, 34],
  ])('needs of %i members with %i colluders %i cosignatures', (n, f, q) => {
    expect(quorumOf(n, f)).toBe(q);
  });

  it('makes any two quorums share an honest member', () => {
    for (let n = 2; n <= 64; n++) {
      for (let f = 0; 3 * f < n; f++) expect(2 * quorumOf(n, f) - n).toBeGreaterThanOrEqual(f + 1);
    }
  });

  it('writes and reads the same policy', () => {
    const text = quorumPolicyText(policy);
    expect(text.split('\n').slice(-3)).toEqual(['group sites 3 site-1 site-2 site-3', 'quorum sites', '']);
    expect(parseQuorumPolicy(text)).toEqual(policy);
    expect(parseQuorumPolicy(`# who may cosign\n\n${text}`)).toEqual(policy);
    const open = { ...policy, threshold: 0 };
    expect(parseQuorumPolicy(quorumPolicyText(open))).toEqual(open);
    expect(parseQuorumPolicy(quorumPolicyText(policy).replace('sites 3', 'sites all')).threshold).toBe(3);
    expect(parseQuorumPolicy(quorumPolicyText(policy).replace('sites 3', 'sites any')).threshold).toBe(1);
  });

  it('names the line it cannot accept', () => {
    const text = quorumPolicyText(policy);
    const bad: [string, string][] = [
      [`${text}quorum sites\n`, 'line 7'],
      [`${text}log ${formatVkey(key(8, KeyType.log))}\n`, 'line 7'],
      [text.replace('group sites 3', 'group sites 4'), 'line 5'],
      [text.replace(' site-2 site-3\n', ' site-2 site-2\n'), 'line 5'],
      [text.replace(' site-2 site-3\n', ' site-2\n'), 'line 5'],
      [text.replace('quorum sites', 'quorum others'), 'line 6'],
      [`witness site-4 ${formatVkey(key(1, KeyType.cosigner))}\n${text}`, 'line 3'],
      [`frobnicate\n${text}`, 'line 1'],
      [`log nonsense\n`, 'line 1'],
      ['quorum none\n', 'names no log'],
      [text.replace('quorum', 'group others 1 site-1\nquorum'), 'line 6: a second group'],
      ['#'.repeat(512 * 1024 + 1), 'larger than 512 KiB'],
    ];
    for (const [policyText, where] of bad) {
      expect(() => parseQuorumPolicy(policyText)).toThrow(where);
    }
  });
});
