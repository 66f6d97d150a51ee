import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import { signManifest } from './manifest.js';
import { joinSite, makeCohort, plainSum, runAttempt, type TestCohort } from './secagg.support.js';
import { SecAggServer } from './server.js';
import { warningsOf } from './warnings.js';

const code = (expected: string): object => expect.objectContaining({ code: expected });
const absent = { r0: [70, 80, 90, 100] };

/** The manifest of a cohort under another quorum rule than its roster has. */
const otherRule = (cohort: TestCohort, quorumRule: 0 | 1): TestCohort => {
  const manifest = { ...cohort.manifest, quorumRule };
  return { ...cohort, manifest, coordinatorSignature: signManifest(cohort.coordinatorSeed, manifest) };
};

describe('the quorum rule', () => {
  it('lets six of ten sites go on under a simple majority, which the strict rule refuses', () => {
    const { server, vectors, sum } = runAttempt(makeCohort(10, { quorumRule: 1 }), absent);
    expect(server.thresholds).toMatchObject({ n: 6, c: 3, quorum: 6, uMin: 6 });
    expect(hex(sum)).toBe(hex(plainSum([...vectors.values()], 32)));
    expect(() => runAttempt(makeCohort(10), absent)).toThrow(code('E_COHORT'));
  });

  it('is the one of the roster, at the sites and at the coordinator', () => {
    for (const rule of [0, 1] as const) {
      const cohort = makeCohort(10, { quorumRule: rule });
      const wrong = otherRule(cohort, rule === 0 ? 1 : 0);
      expect(() => joinSite(cohort, 10)).not.toThrow();
      expect(() => joinSite(wrong, 10)).toThrow(code('E_POLICY'));
      expect(() => new SecAggServer(wrong)).toThrow(code('E_POLICY'));
    }
  });

  it('is warned of when it protects less, and so is a federation without tolerance for collusion', () => {
    expect(warningsOf({ quorumRule: 0, subCohort: 0 }, 1)).toEqual([]);
    expect(warningsOf({ quorumRule: 0, subCohort: 9 }, 3).join()).toMatch(/every group of 9/);
    expect(warningsOf({ quorumRule: 1, subCohort: 0 }, 3).join()).toMatch(/split cohorts/);
    expect(warningsOf({ quorumRule: 0, subCohort: 0 }, 0)).toEqual([
      'no protection against a colluding site',
    ]);
  });
});
