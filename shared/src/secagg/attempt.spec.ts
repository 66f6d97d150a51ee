import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex } from '../crypto/index.js';
import { isRegulonError } from '../errors/index.js';
import { MaskEngine } from './mask-engine.js';
import { jsKernel } from './ring-kernel.js';
import { thresholdsOf } from './manifest-checks.js';
import {
  makeCohort,
  plainSum,
  runAttempt,
  type AttemptResult,
  type Losses,
  type TestCohort,
} from './secagg.support.js';

const expectExact = ({ server, vectors, sum }: AttemptResult): void => {
  const survivors = server.u3.map((id) => vectors.get(id) ?? new Uint8Array());
  expect(hex(sum)).toBe(hex(plainSum(survivors, server.manifest.ringBits)));
};

/** What must come out: the sum, or the set that is too small. */
const fate = ({ manifest, roster, seeds }: TestCohort, lost: Losses): 'sum' | 'abort' | 'pause' => {
  const gone = (stages: (readonly number[] | undefined)[]): number =>
    seeds.size - new Set(stages.flatMap((s) => s ?? [])).size;
  const { r0, r1, r2, r3, r4 } = lost;
  const n = gone([r0]);
  if (n === 0) return 'abort';
  const { quorum, uMin, t } = thresholdsOf(manifest, roster, n);
  const cohort = Math.max(quorum, manifest.nMin, uMin);
  if (n < cohort || gone([r0, r1]) < cohort || gone([r0, r1, r2]) < uMin) return 'abort';
  return gone([r0, r1, r2, r3]) < t || gone([r0, r1, r2, r3, r4]) < t ? 'pause' : 'sum';
};

describe('an attempt from R0 to R4', () => {
  it.each([3, 4, 5, 6, 8, 12])('sums %i sites bit-exact when nobody is lost', (n) => {
    const result = runAttempt(makeCohort(n));
    expect(result.server.u3).toHaveLength(n);
    expectExact(result);
  });

  it('sums in the 64-bit ring, and with the plain JavaScript kernel', () => {
    const cohort = makeCohort(6, { ringBits: 64, fractionBits: 24, purpose: 1, Q: 1, C: 1e6, d: 301 });
    expectExact(runAttempt(cohort, { r2: [20] }));
    expectExact(runAttempt(cohort, { r2: [20] }, new MaskEngine(jsKernel())));
  });

  it('stays exact with one loss in each of R1, R2 and R4', () => {
    const result = runAttempt(makeCohort(10), { r1: [30], r2: [50], r4: [70] });
    expect(result.server.u3).toEqual([10, 20, 40, 60, 70, 80, 90, 100]);
    expect(result.unmasking.revealed.maskSecrets.map(({ id }) => id)).toEqual([50]);
    expectExact(result);
  });

  it('lets a member of U2 whose upload died sign and answer', () => {
    const result = runAttempt(makeCohort(6), { upload: [20], r4: [30] });
    expect(result.server.u3).toEqual([10, 30, 40, 50, 60]);
    expect(result.unmasking.responders).toEqual([10, 20, 40, 50, 60]);
    expectExact(result);
  });

  it('counts silent sites in U3 but not as contributors', () => {
    const silent = (count: number): TestCohort => {
      const { roles } = makeCohort(7).manifest;
      return makeCohort(7, {
        roles: roles.map(({ id }, k) => ({ id, role: k < count ? (1 as const) : (0 as const) })),
      });
    };
    expectExact(runAttempt(silent(2)));
    expect(() => runAttempt(silent(3))).toThrow(expect.objectContaining({ code: 'E_COHORT' }));
  });

  it('gives the bit-exact sum of the survivors, or a named abort, for random losses at every stage', () => {
    const seen = new Set<string>();
    const loss = fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 2 });
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 12 }),
        fc.record({ r0: loss, r1: loss, r2: loss, r3: loss, r4: loss }),
        (n, picks) => {
          const cohort = makeCohort(n, { d: 61 });
          const keep = fc.sample(fc.boolean(), { numRuns: 5, seed: picks.r0.length + n });
          const pick = (list: readonly number[], k: number): number[] =>
            keep[k] ? list.filter((i) => i < n).map((i) => 10 * (i + 1)) : [];
          const losses = {
            ...picks,
            r0: pick(picks.r0, 0),
            r1: pick(picks.r1, 1),
            r2: pick(picks.r2, 2),
            r3: pick(picks.r3, 3),
            r4: pick(picks.r4, 4),
          };
          const expected = fate(cohort, losses);
          seen.add(expected);
          try {
            expectExact(runAttempt(cohort, losses));
            expect(expected).toBe('sum');
          } catch (error) {
            if (!isRegulonError(error)) throw error;
            const code = expected === 'abort' ? ['E_COHORT'] : ['E_CONSISTENCY', 'E_STATE'];
            expect(code).toContain(error.code);
          }
        },
      ),
      { numRuns: 40, seed: 20_240 },
    );
    expect([...seen].sort()).toEqual(['abort', 'pause', 'sum']);
  });

  it('gives the same sum whichever t answers are used', () => {
    const { server, unmasking } = runAttempt(makeCohort(8), { upload: [40] });
    const others = server.unmaskKeys(server.u2.slice(-server.thresholds.t));
    expect(others.maskKeys.map(({ key, sign }) => `${hex(key)}${sign}`)).toEqual(
      unmasking.maskKeys.map(({ key, sign }) => `${hex(key)}${sign}`),
    );
  });
});
