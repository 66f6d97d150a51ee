import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { combine, split } from 'shamir-secret-sharing';
import { randomBytes } from './box.js';
import { hex } from './bytes.js';
import { lagrangeAtZero, shamirCombine, shamirSplit } from './shamir.js';

describe('Shamir sharing over GF(256)', () => {
  it('gives the pinned shares and coefficients', () => {
    const coefficients = [0xca, 0x01];
    const shares = shamirSplit(new Uint8Array(32).fill(0x53), 3, 5, (n) =>
      new Uint8Array(n).fill(coefficients.shift() ?? 0),
    );
    expect(shares.map((share) => share[31])).toEqual([0x98, 0xd8, 0x13, 0x46, 0x8d]);
    expect(hex(lagrangeAtZero([2, 3, 5]))).toBe('d303d1');
  });

  it('recovers the secret from any t shares and from no t − 1', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 255 }),
        fc.nat(),
        (a, b, seed) => {
          const [t, n] = [Math.min(a, b), Math.max(a, b)];
          const secret = randomBytes(32);
          const shares = shamirSplit(secret, t, n).map((share, k) => ({ x: k + 1, share }));
          const chosen = shares
            .sort((p, q) => ((p.x * 7919 + seed) % 257) - ((q.x * 7919 + seed) % 257))
            .slice(0, t);
          expect(hex(shamirCombine(chosen))).toBe(hex(secret));
          if (t > 1) expect(hex(shamirCombine(chosen.slice(1)))).not.toBe(hex(secret));
        },
      ),
      { numRuns: 40 },
    );
  });

  it('agrees with the audited library in both directions', async () => {
    const secret = randomBytes(32);
    const theirs = await split(secret, 7, 4);
    const shares = theirs.map((bytes) => ({ x: bytes[32] ?? 0, share: bytes.slice(0, 32) }));
    expect(hex(shamirCombine(shares.slice(2, 6)))).toBe(hex(secret));
    const ours = shamirSplit(secret, 4, 7).map((share, k) => Uint8Array.of(...share, k + 1));
    expect(hex(await combine(ours.slice(1, 5)))).toBe(hex(secret));
  });

  it('refuses x = 0, repeated coordinates, none, and wrong lengths', () => {
    const share = new Uint8Array(32);
    const refused = expect.objectContaining({ code: 'E_SHARE' });
    expect(() => shamirCombine([])).toThrow(refused);
    expect(() => shamirCombine([{ x: 0, share }])).toThrow(refused);
    expect(() => shamirCombine([{ x: 256, share }])).toThrow(refused);
    expect(() =>
      shamirCombine([
        { x: 1, share },
        { x: 1, share },
      ]),
    ).toThrow(refused);
    expect(() =>
      shamirCombine([
        { x: 1, share },
        { x: 2, share: new Uint8Array(28) },
      ]),
    ).toThrow(refused);
    expect(() => shamirSplit(share, 4, 3)).toThrow();
    expect(() => shamirSplit(share, 2, 256)).toThrow();
  });

  it('refuses x = 0, by which one holder dictates the result of the audited library', async () => {
    const shares = await split(randomBytes(32), 5, 3);
    const dictated = randomBytes(32);
    const result = await combine([Uint8Array.of(...dictated, 0), ...shares.slice(0, 2)]);
    expect(hex(result)).toBe(hex(dictated));
    const ours = [
      { x: 0, share: dictated },
      ...shares.slice(0, 2).map((b, k) => ({ x: k + 1, share: b.slice(0, 32) })),
    ];
    expect(() => shamirCombine(ours)).toThrow(expect.objectContaining({ code: 'E_SHARE' }));
  });

  it('gives a wrong secret for a wrong share without a word, as the library does: callers compare', async () => {
    const secret = randomBytes(32);
    const shares = (await split(secret, 5, 3)).slice(0, 3);
    if (shares[1]) shares[1][0] = (shares[1][0] ?? 0) ^ 1;
    const theirs = hex(await combine(shares));
    expect(theirs).not.toBe(hex(secret));
    expect(hex(shamirCombine(shares.map((b) => ({ x: b[32] ?? 0, share: b.slice(0, 32) }))))).toBe(theirs);
  });
});
