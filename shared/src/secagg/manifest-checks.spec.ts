import { describe, expect, it } from '@jest/globals';
import { randomBytes } from '../crypto/index.js';
import { checkCohortRule, checkExpectation, checkManifest } from './manifest-checks.js';
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
    for (const lastJoined of [
      { round: 5, attempt: 0 },
      { round: 4, attempt: 2 },
    ])
      expect(() => checkExpectation(manifest, { fields, lastJoined })).toThrow(code('E_REPLAY'));
    expect(() => checkExpectation(manifest, { fields, lastAnswered: 5 })).toThrow(code('E_REPLAY'));
    expect(() => checkExpectation(manifest, { fields, lastJoined: { round: 3, attempt: 9 } })).not.toThrow();
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

describe('what no manifest may say', () => {
  const { roster } = makeCohort(5);
  const refused = (name: string, words: string): unknown =>
    expect.objectContaining({ code: name, message: expect.stringContaining(words) as unknown });

  it('is that a site is named twice, or not', () => {
    const { roles } = manifest;
    for (const change of [
      { roles: [...roles.slice(0, 4), ...roles.slice(0, 1)] },
      { roles: [...roles, ...roles.slice(0, 1)] },
      { roles: roles.slice(0, 4) },
      { roles, N: 4 },
    ])
      expect(() => checkManifest({ ...manifest, ...change }, roster)).toThrow(
        refused('E_POLICY', 'the N sites once'),
      );
    expect(() => checkManifest(manifest, roster)).not.toThrow();
  });

  it('is a site outside the roster', () => {
    const roles = [...manifest.roles.slice(0, 4), { id: 99, role: 0 as const }];
    expect(() => checkManifest({ ...manifest, roles }, roster)).toThrow(
      refused('E_ROSTER', 'site 99 is not in the roster'),
    );
  });

  it('is a cohort below three', () => {
    expect(() => checkManifest({ ...manifest, nMin: 2 }, roster)).toThrow(
      refused('E_POLICY', 'nMin is below 3'),
    );
    expect(() => checkManifest({ ...manifest, nMin: 3 }, roster)).not.toThrow();
  });

  it('is another stream of masks', () => {
    expect(() => checkManifest({ ...manifest, prg: 1 }, roster)).toThrow(refused('E_POLICY', 'ChaCha20'));
  });

  it('is γ without thresholds', () => {
    expect(() => checkManifest({ ...manifest, gammaNum: 3 }, roster)).toThrow(
      refused('E_POLICY', 'no thresholds'),
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
