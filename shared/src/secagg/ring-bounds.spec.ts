import { describe, expect, it } from '@jest/globals';
import type { Manifest } from './manifest.js';
import { kappa, ringBoundsHold } from './ring-bounds.js';
import { makeCohort } from './secagg.support.js';
import { thresholds } from './thresholds.js';

/** A check of one manifest of n sites without extras. */
const check = (n: number, change: Partial<Manifest>) => (): void => {
  const { manifest, roster } = makeCohort(n, { extras: [] });
  ringBoundsHold({ ...manifest, ...change }, roster);
};
const refused = (name: string, words = ''): unknown =>
  expect.objectContaining({ code: name, message: expect.stringContaining(words) as unknown });
const ring64 = { ringBits: 64, fractionBits: 40, Q: 1 } as const;

describe('a sum that cannot wrap', () => {
  it('is below the half of the 32-bit ring, not at it', () => {
    expect(check(7, { Q: 2 ** 28 })).not.toThrow();
    expect(check(8, { Q: 2 ** 28 })).toThrow(refused('E_RING_BOUND', 'the vector of 8'));
  });

  it('is below the half of the 64-bit ring, not at it', () => {
    expect(check(8, { ...ring64, C: 2 ** 20 - 1 })).not.toThrow();
    expect(check(8, { ...ring64, C: 2 ** 20 })).toThrow(refused('E_RING_BOUND', 'the vector of 8'));
  });

  it('counts the noise of the ring, if the manifest adds any', () => {
    expect(check(10, { mechanism: 1, z: 8, Q: 2 ** 23 })).not.toThrow();
    expect(check(10, { mechanism: 1, z: 8, Q: 2 ** 24 })).toThrow(refused('E_RING_BOUND'));
    expect(check(10, { mechanism: 0, z: 8, Q: 2 ** 24 })).not.toThrow();
    const extras = [{ name: 'loss', scale: 2 ** 16, min: 0, max: 255 }];
    expect(check(10, { extras, z: 8 })).not.toThrow();
    expect(check(10, { extras, mechanism: 1, z: 8 })).toThrow(refused('E_RING_BOUND', 'the extra loss'));
  });

  it('asks each site for noise of at least 4 ring units, however many share it', () => {
    // 20 sites: h = 8, so a site adds z·Q/√8
    expect(check(20, { mechanism: 1, z: Math.sqrt(2), Q: 8 })).not.toThrow();
    expect(check(20, { mechanism: 1, z: 1.41, Q: 8 })).toThrow(refused('E_POLICY', 'below 4 ring units'));
    expect(check(20, { mechanism: 0, z: 1.41, Q: 8 })).not.toThrow();
  });

  it('holds for every extra, at either end of its range', () => {
    const extra = (min: number, max: number, scale = 2 ** 20): Partial<Manifest> => ({
      extras: [{ name: 'loss', scale, min, max }],
    });
    for (const [min, max] of [
      [0, 255],
      [-255, 0],
      [3, 3],
    ] as const)
      expect(check(8, extra(min, max))).not.toThrow();
    expect(check(8, extra(0, 1, 1))).not.toThrow();
    for (const [min, max] of [
      [0, 256],
      [-256, 0],
    ] as const)
      expect(check(8, extra(min, max))).toThrow(refused('E_RING_BOUND', 'the extra loss'));
    for (const [min, max, scale] of [
      [1, 0, 1],
      [-Infinity, 0, 1],
      [0, Infinity, 1],
      [NaN, 1, 1],
      [0, 0, 0],
    ] as const)
      expect(check(8, extra(min, max, scale))).toThrow(refused('E_POLICY', 'the extra loss has no range'));
  });
});

describe('numbers of a manifest', () => {
  it.each<[string, Partial<Manifest>[], Partial<Manifest>[]]>([
    ['C is no positive number', [0, -1, NaN, Infinity].map((C) => ({ C })), [{ C: 1e-9 }]],
    ['Q is no power of two', [0, 0.5, 3, -2].map((Q) => ({ Q })), [{ Q: 1 }, { Q: 2 }]],
    ['more than 40 fraction bits', [{ ...ring64, fractionBits: 41 }], [{ ...ring64 }]],
    ['z is no number', [-1, NaN, Infinity].map((z) => ({ z })), [{ z: 0 }, { z: 1 }]],
  ])('%s', (words, bad, good) => {
    for (const change of bad) expect(check(5, change)).toThrow(refused('E_POLICY', words));
    for (const change of good) expect(check(5, change)).not.toThrow();
  });
});

describe('κ', () => {
  it('of sub-cohorts is that of the groups, as often as there are groups', () => {
    const { manifest, roster } = makeCohort(17, { subCohort: 6, gammaNum: 0 });
    // groups of 6 to 11 sites; the largest |G|/h is that of 11, whose h is 6
    expect(kappa(manifest, roster)).toBe(Math.sqrt((11 / 6) * 2));
    expect(kappa({ ...manifest, N: 10 }, roster)).toBe(Math.sqrt(9 / 5));
  });

  it.each([5, 6, 7, 8, 9, 10, 11, 12, 13, 20, 33, 64, 101])(
    'is the largest √(n/h) of the admissible n at N = %i',
    (N) => {
      const { manifest, roster } = makeCohort(N);
      const counts = Array.from({ length: N }, (_, k) => k + 1);
      const ratios = counts.flatMap((n) => {
        const { quorum, h } = thresholds({ N, M: N, n, gammaNum: 1, gammaDen: 3, strict: true });
        return n < Math.max(5, quorum) ? [] : [n / h];
      });
      expect(kappa(manifest, roster)).toBe(Math.sqrt(Math.max(...ratios)));
    },
  );
});
