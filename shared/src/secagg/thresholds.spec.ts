import { describe, expect, it } from '@jest/globals';
import { thresholds } from './thresholds.js';

// rows of the protocol's table: N = n = M, γ numerator, cohort minimum is max(nMin, quorum)
const table = [
  { N: 3, gamma: 0, c: 0, cohort: 3, t: 2, uMin: 3, h: 3, lost: 0 },
  { N: 4, gamma: 0, c: 0, cohort: 3, t: 3, uMin: 3, h: 3, lost: 1 },
  { N: 5, gamma: 1, c: 1, cohort: 5, t: 4, uMin: 4, h: 3, lost: 1 },
  { N: 6, gamma: 1, c: 2, cohort: 5, t: 5, uMin: 5, h: 3, lost: 1 },
  { N: 7, gamma: 1, c: 2, cohort: 5, t: 5, uMin: 5, h: 3, lost: 2 },
  { N: 8, gamma: 1, c: 2, cohort: 6, t: 6, uMin: 6, h: 4, lost: 2 },
  { N: 9, gamma: 1, c: 3, cohort: 7, t: 7, uMin: 7, h: 4, lost: 2 },
  { N: 10, gamma: 1, c: 3, cohort: 7, t: 7, uMin: 7, h: 4, lost: 3 },
  { N: 20, gamma: 1, c: 6, cohort: 14, t: 14, uMin: 14, h: 8, lost: 6 },
  { N: 50, gamma: 1, c: 16, cohort: 34, t: 34, uMin: 34, h: 18, lost: 16 },
  { N: 100, gamma: 1, c: 33, cohort: 67, t: 67, uMin: 67, h: 34, lost: 33 },
  { N: 200, gamma: 1, c: 66, cohort: 134, t: 134, uMin: 134, h: 68, lost: 66 },
];

describe('thresholds', () => {
  it.each(table)(
    'follows the table of the protocol at N = $N',
    ({ N, gamma, c, cohort, t, uMin, h, lost }) => {
      const got = thresholds({ N, M: N, n: N, gammaNum: gamma, gammaDen: 3, strict: true });
      const nMin = gamma === 0 ? 3 : 5;
      expect({ ...got, cohort: Math.max(nMin, got.quorum), lost: N - got.uMin }).toMatchObject({
        c,
        cohort,
        t,
        uMin,
        h,
        lost,
      });
    },
  );

  it('takes c from the roster, so that a small plan cannot gather the colluders', () => {
    expect(thresholds({ N: 5, M: 30, n: 5, gammaNum: 1, gammaDen: 3, strict: true })).toMatchObject({
      c: 10,
      uMin: 13,
    });
  });

  it('excludes two inconsistent survivor sets and keeps three honest sites, for every n and roster', () => {
    for (let N = 3; N <= 255; N++) {
      for (const gammaNum of [0, 1]) {
        const { t, c, h, quorum } = thresholds({ N, M: N, n: N, gammaNum, gammaDen: 3, strict: true });
        expect(2 * t).toBeGreaterThan(N + c);
        expect(2 * quorum).toBeGreaterThan(N + c);
        expect(h).toBeGreaterThanOrEqual(3);
      }
    }
  });

  it('goes to the ends of every range', () => {
    const ends = { N: 255, M: 65_535, n: 255, gammaNum: 1, gammaDen: 65_535, strict: true };
    expect(thresholds(ends)).toEqual({
      ...{ N: 255, M: 65_535, n: 255, c: 1, quorum: 129, t: 129, uMin: 129, h: 128 },
    });
    expect(thresholds({ ...ends, N: 1, M: 1, n: 1 })).toMatchObject({ c: 0, quorum: 1, t: 1, uMin: 3, h: 3 });
  });

  it('asks for more than half of the plan under a simple majority', () => {
    const majority = { M: 10, n: 10, gammaNum: 1, gammaDen: 3, strict: false };
    expect(thresholds({ ...majority, N: 10 })).toMatchObject({ c: 3, quorum: 6, t: 7 });
    expect(thresholds({ ...majority, N: 11 })).toMatchObject({ c: 3, quorum: 6, t: 7 });
  });

  it('refuses counts and rationals that mean nothing', () => {
    const input = { N: 5, M: 5, n: 5, gammaNum: 1, gammaDen: 3, strict: true };
    for (const change of [
      ...[{ N: 0 }, { N: 1.5 }, { N: 256 }, { n: 0 }, { n: 1.5 }, { n: 256 }],
      ...[{ M: 0 }, { M: 1.5 }, { M: 65_536 }],
      ...[{ gammaNum: 3 }, { gammaNum: -1 }, { gammaNum: 0.5 }],
      ...[{ gammaDen: 0 }, { gammaDen: 3.5 }, { gammaDen: 65_536 }],
    ]) {
      expect(() => thresholds({ ...input, ...change })).toThrow(
        expect.objectContaining({ code: 'E_POLICY' }),
      );
    }
  });
});
