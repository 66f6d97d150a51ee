import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, hex, rootOfBytes } from '../../crypto/index.js';
import { SampleLog } from '../../transparency-samples/index.js';
import { digestText } from '../entries/fields.js';
import type { ApprovedRun } from './approval-rows.js';
import type { VerifyContext } from './context.js';
import { deriveModels, type KeptBlobs } from './derived-models.js';
import { Findings } from './findings.js';
import { noneJudged } from './level-2.js';
import type { ClosedRound } from './opened-rounds.js';

const root = (bytes: Uint8Array): Uint8Array => rootOfBytes(bytes);
const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer);
const words = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer);
const before = floats(1, 2);
/** 1 in the sums of weights */
const ONE = 2 ** 20;
const whole = words(6, 12, 3 * ONE);
const groups = [words(1, 2, ONE), words(2, 4, ONE), words(3, 6, ONE)];

/** What row S3 says of one training round of two weights with Q = C = 1. */
function noted(
  plan: object,
  next: Uint8Array,
  stated: { groups?: Uint8Array[]; kept?: Uint8Array[]; z?: number } = {},
) {
  const findings = new Findings();
  const files = [before, whole, ...(stated.kept ?? stated.groups ?? [])];
  const kept = new Map(files.map((bytes) => [hex(root(bytes)), bytes]));
  const context = {
    findings,
    log: { resolve: () => canonicalJsonBytes(plan) },
    history: new SampleLog().history,
  } as unknown as VerifyContext;
  const approved = { proposal: { entry: { body: { plan: {} } } } } as unknown as ApprovedRun;
  const round = {
    manifest: {
      ...{ purpose: 0, arm: 0, round: 1, N: 3, d: 2, Q: 1, C: 1, z: stated.z ?? 0, extras: [] },
      ...{ modelHash: root(before), nMin: 3, gammaNum: 0, gammaDen: 1, quorumRule: 0, subCohort: 0 },
    },
    open: { index: 5 },
    derived: { u3: [1, 2, 3] },
    aggregate: {
      index: 7,
      entry: {
        body: {
          aggregateRoot: digestText(root(whole)),
          groups: (stated.groups ?? []).map((bytes) => ({ aggregateRoot: digestText(root(bytes)) })),
          modelOut: digestText(root(next)),
        },
      },
    },
  } as unknown as ClosedRound;
  const count = noneJudged();
  const keptOf: KeptBlobs = (digest) => {
    const bytes = kept.get(hex(digest));
    return (
      bytes && { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) }
    );
  };
  deriveModels(context, [round], approved, keptOf, count);
  const reasons = Object.entries(count.underived).filter(([, many]) => many > 0);
  return [
    reasons[0]?.[0] ?? count.derived,
    ...findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`),
  ];
}

describe('the model of a round, once more from what was kept', () => {
  it('is the mean of all, or the median of the groups', () => {
    expect(noted({ secureAggregation: { combine: 'median' } }, floats(3, 6), { groups })).toEqual([1]);
    expect(noted({ secureAggregation: { combine: 'median' } }, floats(4, 6), { groups })).toEqual([
      1,
      'S3 7: round 1: the logged model does not follow from the sum',
    ]);
  });

  it('is left to the sites where blocks have owners, or heads are trained by site', () => {
    const blocks = [{ owners: ['site-1'] }];
    const large = { secureAggregation: { combine: 'median' } };
    expect(noted({ ...large, model: { blocks } }, floats(9, 9), { groups })).toEqual(['divided']);
    expect(noted({ ...large, task: 'heads' }, floats(9, 9), { groups })).toEqual(['divided']);
    for (const exact of [
      { task: 'heads', privacy: {} },
      { task: 'heads', training: { strategy: 'fed-sgd' } },
      { model: { blocks: [{}] } },
    ])
      expect(noted({ ...large, ...exact }, floats(9, 9), { groups })).toHaveLength(2);
  });

  it('is not judged without the plan, nor from files of another size', () => {
    expect(noted([1, 2], floats(3, 6), { groups })).toEqual(['unread']);
    const short = [words(1, 2), ...groups.slice(1)];
    expect(noted({ secureAggregation: { combine: 'median' } }, floats(3, 6), { groups: short })).toEqual([
      1,
      'S3 7: round 1: a kept sum or model has another size',
    ]);
  });

  it('is not judged where the sum of a group was not kept', () => {
    const plan = { secureAggregation: { combine: 'median' } };
    expect(noted(plan, floats(3, 6), { groups, kept: groups.slice(1) })).toEqual(['lost']);
  });

  it('may follow from a longer sum where the sites add noise', () => {
    // norm 13.4; without noise at most 3 · (1 + √2) = 7.2
    expect(noted({}, floats(3, 6))).toEqual([
      1,
      expect.stringMatching(/^S3 7: round 1: the sum has norm 13.42, .* at most;/),
    ]);
    expect(noted({}, floats(3, 6), { z: 1 })).toEqual([1]);
  });
});
