import { describe, expect, it } from '@jest/globals';
import { rootOfBytes } from '../../crypto/index.js';
import { makeCohort, plainSum } from '../../secagg/secagg.support.js';
import { runGroupsUntil, sumOfGroup } from '../../secagg/sub-cohorts.support.js';
import { type SampleLog, type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import { roundEvidenceOf } from '../evidence/round-evidence.js';
import { deriveRound } from '../evidence/verify-evidence.js';
import { digestText, verifyBundle, type VerifyReport } from '../index.js';
import { Findings } from './findings.js';
import type { ClosedRound } from './opened-rounds.js';
import { replayRounds } from './replay.js';

const log = sampleRun();
const asked: string[] = [];

/** Level 2 over these vectors, by `round-attempt/site`. */
function replay(vectors: ReadonlyMap<string, Uint8Array>, of: SampleLog = log): VerifyReport {
  return verifyBundle({
    ...{ bundle: of.bundle(), policy: of.policy, asOf: new Date(Date.UTC(2026, 10, 21)) },
    maskedVectors: (_, { round, attempt, site }) => {
      asked.push(`${round}-${attempt}/${site}`);
      const bytes = vectors.get(`${round}-${attempt}/${site}`);
      return (
        bytes && { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) }
      );
    },
  });
}
const s3 = ({ rules }: VerifyReport): { status: string; note: string } | undefined =>
  rules.find(({ id }) => id === 'S3');
const changed = (key: string, bytes?: Uint8Array): Map<string, Uint8Array> => {
  const vectors = new Map(log.masked);
  if (bytes) vectors.set(key, bytes);
  else vectors.delete(key);
  return vectors;
};

describe('replay of the rounds from the masked vectors', () => {
  it('gives the logged sums to the bit, over both rings and lost uploads', () => {
    const report = replay(log.masked);
    expect(report.status).toBe('pass');
    expect(s3(report)).toMatchObject({ status: 'pass', note: '3 of 3 rounds replayed' });
  });

  it('never asks for the vector of a site that dropped: it would open', () => {
    asked.length = 0;
    replay(log.masked);
    expect(asked).toContain('0-0/4');
    expect(log.masked.has('0-0/5')).toBe(true);
    expect(asked).not.toContain('0-0/5');
  });

  it('finds one wrong bit, whoever kept it', () => {
    const bytes = Uint8Array.from(log.masked.get('1-1/3') ?? []);
    bytes[700] = (bytes[700] ?? 0) ^ 1;
    const report = replay(changed('1-1/3', bytes));
    expect(report.status).toBe('fail');
    expect(s3(report)?.note).toBe('round 1: the masked vector of site 3 is not the signed one');
  });

  it('finds a sum that is not that of the vectors', () => {
    const aggregateRoot = digestText(new Uint8Array(32).fill(9));
    const spoil: SampleOptions['spoil'] = (kind, body, seen) =>
      kind === 'round.aggregate' && seen === 1 ? { ...body, aggregateRoot } : body;
    const wrong = sampleRun({ spoil });
    expect(s3(replay(wrong.masked, wrong))?.note).toBe(
      'round 1: the sum of the masked vectors is not the logged one',
    );
  });

  it('misses one of several vectors, or one of another size', () => {
    expect(s3(replay(changed('2-0/1')))?.note).toMatch(/vector of site 1 is missing/);
    expect(s3(replay(changed('2-0/1', new Uint8Array(4))))?.note).toMatch(/another size/);
  });

  it('says of how many rounds nothing was kept', () => {
    const last = new Map([...log.masked].filter(([key]) => key.startsWith('2-')));
    expect(s3(replay(last))).toMatchObject({ status: 'pass', note: '1 of 3 rounds replayed' });
    expect(s3(replay(new Map()))).toMatchObject({
      status: 'not-applicable',
      note: 'no masked vector was kept',
    });
  });
});

describe('replay of a round in groups', () => {
  const cohort = makeCohort(10, { gammaNum: 0, subCohort: 5, d: 9 });
  const { server, clients, uploads } = runGroupsUntil(cohort, 'r4');
  const { manifest, groups } = server;
  const keys = server.closeU1();
  const each = <T>(of: (id: number) => T | undefined): T[] => server.u3.flatMap((id) => of(id) ?? []);
  const unmaskings = groups.map((group) => group.unmaskKeys());
  const sums = groups.map((group, k) => sumOfGroup({ uploads }, group, unmaskings[k]!));
  const evidence = roundEvidenceOf({
    advertised: keys,
    shares: each((id) => clients.get(id)?.shareKeys(keys)),
    commits: each((id) => clients.get(id)?.commit(rootOfBytes(uploads.get(id)!), 11)),
    consistency: groups.flatMap((group) => group.signatures()),
    answers: each((id) => clients.get(id)?.unmask()),
    responders: unmaskings.flatMap(({ responders }) => responders),
  });
  const complaints: string[] = [];
  const derived = deriveRound(
    { manifest, roster: cohort.roster, evidence, uncounted: new Set() },
    (rule, note) => void complaints.push(`${rule} ${note}`),
  );
  const textOf = (bytes: Uint8Array): { aggregateRoot: string } => ({
    aggregateRoot: digestText(rootOfBytes(bytes)),
  });

  /** What row S3 says when the log states these sums of the groups. */
  function noted(stated: readonly Uint8Array[]): unknown[] {
    const findings = new Findings();
    const body = { ...textOf(plainSum(sums, 32)), groups: stated.map(textOf) };
    const round = { manifest, derived, evidence, aggregate: { index: 7, entry: { body } } };
    const judged = replayRounds(findings, 'run', [round as unknown as ClosedRound], (_, { site }) => {
      const bytes = uploads.get(site)!;
      return { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) };
    });
    return [judged, ...findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`)];
  }

  it('gives the sum of each group, and of all', () => {
    expect(complaints).toEqual([]);
    expect(groups).toHaveLength(2);
    expect(noted(sums)).toEqual([1]);
  });

  it('finds a group with another sum, and one that was not there', () => {
    const wrong = (k: number): string => `S3 7: round 4: the sum of group ${k} is not the logged one`;
    expect(noted(sums.toReversed())).toEqual([1, wrong(0)]);
    expect(noted([sums[0]!, new Uint8Array(44)])).toEqual([1, wrong(1)]);
    expect(noted([...sums, sums[0]!])).toEqual([1, wrong(2)]);
  });
});
