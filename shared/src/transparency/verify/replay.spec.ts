import { describe, expect, it } from '@jest/globals';
import { rootOfBytes } from '../../crypto/index.js';
import {
  groupedRound,
  type SampleLog,
  type SampleOptions,
  sampleRun,
} from '../../transparency-samples/index.js';
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
      note: '0 of 3 rounds replayed',
    });
  });
});

describe('replay of a round in groups', () => {
  const { manifest, evidence, derived, complaints, upload, stated, sum } = groupedRound();

  /** What row S3 says when log and evidence of the round are these. */
  function noted(groups: readonly object[], shown = evidence): unknown[] {
    const findings = new Findings();
    const body = { aggregateRoot: digestText(rootOfBytes(sum)), groups };
    const round = { manifest, derived, evidence: shown, aggregate: { index: 7, entry: { body } } };
    const judged = replayRounds(findings, 'run', [round as unknown as ClosedRound], (_, { site }) => {
      const bytes = upload(site);
      return { size: bytes.length, read: (at, into) => into.set(bytes.subarray(at, at + into.length)) };
    });
    return [judged, ...findings.list.map(({ rule, index, note }) => `${rule} ${index}: ${note}`)];
  }

  it('gives the sum of each group, and of all', () => {
    expect(complaints).toEqual([]);
    expect(stated).toHaveLength(2);
    expect(noted(stated)).toEqual([1]);
  });

  it('finds a group with another sum, and one that was not there', () => {
    const wrong = (k: number): string => `S3 7: round 4: the sum of group ${k} is not the logged one`;
    const [first, second] = stated;
    expect(noted(stated.toReversed())).toEqual([1, wrong(0)]);
    expect(noted([first!, { ...second, aggregateRoot: digestText(new Uint8Array(32)) }])).toEqual([
      1,
      wrong(1),
    ]);
    expect(noted([...stated, first!])).toEqual([1, wrong(2)]);
  });

  it('fails where the logged shares open no mask', () => {
    const answers = evidence.answers.map((answer, i) =>
      i > 0
        ? answer
        : {
            ...answer,
            entries: answer.entries.map((entry) => ({ ...entry, share: new Uint8Array(32).fill(1) })),
          },
    );
    const [judged, found] = noted(stated, { ...evidence, answers });
    expect([judged, found]).toEqual([1, expect.stringMatching(/^S3 7: round 4: .*(share|commit|dealer)/i)]);
  });
});
