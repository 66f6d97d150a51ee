import { describe, expect, it } from '@jest/globals';
import { randomBytes } from '../crypto/index.js';
import { checkCohortRule, checkExpectation } from './manifest-checks.js';
import { kappa } from './ring-bounds.js';
import { makeCohort } from './secagg.support.js';

const { manifest } = makeCohort(5);
const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('what a site expects of a manifest', () => {
  const { attempt: _attempt, deadlines: _deadlines, ...fields } = manifest;

  it('accepts what the plan implies', () => {
    expect(() => checkExpectation(manifest, { fields })).not.toThrow();
    expect(() =>
      checkExpectation(manifest, { fields: {}, lastAnswered: 3, lastJoined: { round: 4, attempt: 0 } }),
    ).not.toThrow();
  });

  it('refuses a replayed round or attempt (B8)', () => {
    expect(() => checkExpectation(manifest, { fields, lastAnswered: 4 })).toThrow(code('E_REPLAY'));
    expect(() => checkExpectation(manifest, { fields, lastJoined: { round: 4, attempt: 1 } })).toThrow(
      code('E_REPLAY'),
    );
    expect(() => checkExpectation(manifest, { fields, lastJoined: { round: 5, attempt: 0 } })).toThrow(
      code('E_REPLAY'),
    );
  });

  it('names the record that differs (B9, D3)', () => {
    expect(() => checkExpectation(manifest, { fields: { modelHash: randomBytes(32) } })).toThrow(
      code('E_MODEL'),
    );
    expect(() => checkExpectation(manifest, { fields: { prevTranscriptHash: randomBytes(32) } })).toThrow(
      code('E_FORK'),
    );
    expect(() => checkExpectation(manifest, { fields: { rosterHash: randomBytes(32) } })).toThrow(
      code('E_ROSTER'),
    );
  });

  it.each([
    'd',
    'N',
    'Q',
    'C',
    'weightCap',
    'nMin',
    'gammaNum',
    'round',
    'arm',
    'fractionBits',
    'z',
  ] as const)('refuses another %s', (name) => {
    expect(() => checkExpectation(manifest, { fields: { [name]: manifest[name] + 1 } })).toThrow(
      expect.objectContaining({ code: 'E_POLICY', message: expect.stringContaining(name) as unknown }),
    );
  });
});

describe('cohort rule', () => {
  it('accepts equal and disjoint sets, and nothing between (B12)', () => {
    expect(() =>
      checkCohortRule(
        [1, 2, 3],
        [
          [3, 2, 1],
          [4, 5],
        ],
      ),
    ).not.toThrow();
    expect(() => checkCohortRule([1, 2, 3], [[1, 2]])).toThrow(code('E_U3'));
    expect(() =>
      checkCohortRule(
        [1, 2],
        [
          [4, 5],
          [1, 2, 3],
        ],
      ),
    ).toThrow(code('E_U3'));
    expect(() => checkCohortRule([1, 2], [[2, 3]])).toThrow(code('E_U3'));
  });
});

describe('κ', () => {
  it.each([
    [10, 1.633],
    [50, 1.871],
    [200, 1.964],
  ])('is that of the protocol at N = %i', (n, expected) => {
    const cohort = makeCohort(n);
    expect(kappa(cohort.manifest, cohort.roster)).toBeCloseTo(expected, 3);
  });
});
