import { beforeAll, describe, expect, it } from '@jest/globals';
import { attachmentOf, digestText, MediaType, parseEntry, type VerifyReport } from '../index.js';
import {
  type SampleLog,
  type SampleOptions,
  samplePolicyBytes,
  sampleRun,
} from '../../transparency-samples/index.js';
import { verifyBundle } from './verify-bundle.js';

const asOf = new Date(Date.UTC(2026, 10, 21));
const verify = (log: SampleLog): VerifyReport =>
  verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
const failed = ({ rules }: VerifyReport): string[] =>
  rules.filter((r) => r.status === 'fail').map((r) => r.id);
const spoiled = (options: SampleOptions): VerifyReport => verify(sampleRun(options));
/** Changes one field of the nth entry of a kind. */
const change =
  (kind: string, fields: Record<string, unknown>, nth = 0): SampleOptions['spoil'] =>
  (of, body, seen) =>
    of === kind && seen === nth ? { ...body, ...fields } : body;
const other = digestText(new Uint8Array(32).fill(9));

describe('verification of a whole run', () => {
  let log: SampleLog;
  beforeAll(() => {
    log = sampleRun();
  });

  it('passes, and says in its first line what was covered and what was not judged', () => {
    const report = verify(log);
    expect(report.firstLine).toBe(
      'PASS  fed_sample: 68 entries; run_07070707 COMPLETED, 2 of 3 rounds with 5 of 5 sites, 1 with 4 of 5 ' +
        '(public or simulated data); L2 not applicable: gate mode signed, no site cosigned',
    );
    expect(report.status).toBe('pass');
    const status = new Map(report.rules.map(({ id, status }) => [id, status]));
    for (const id of ['L1', 'L3', 'L5', 'A1', 'A2', 'A3', 'S1', 'S2', 'S4', 'D1', 'D2'] as const) {
      expect(`${id} ${status.get(id)}`).toBe(`${id} pass`);
    }
    for (const id of ['L2', 'S3', 'P2', 'R1', 'X1'] as const) expect(status.get(id)).toBe('not-applicable');
    expect(report.runs).toMatchObject([
      { plan: 'sample', status: 'COMPLETED', rounds: 3, aborted: 1, public: true },
    ]);
    expect(report.asOf).toBe('2026-11-21T00:00:00.000Z');
  });

  it('verifies one run, and refuses one that is not there', () => {
    const { run } = parseEntry(log.entries.at(-1) ?? new Uint8Array(0));
    const report = verifyBundle({ bundle: log.bundle(), policy: log.policy, run: run ?? '' });
    expect(report.runs).toHaveLength(1);
    expect(() =>
      verifyBundle({ bundle: log.bundle(), policy: log.policy, run: `run_${'1'.repeat(32)}` }),
    ).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
  });

  it('takes the beginning of a run that no other one has', () => {
    const two = sampleRun();
    const start = two.entries.map(parseEntry).find(({ kind }) => kind === 'run.start');
    if (start?.kind !== 'run.start') throw new TypeError('the run did not start');
    two.write(['coordinator', 'coordinator'], 'run.start', { run: `run_08${'0'.repeat(30)}` }, start.body);
    const judged = (run: string): VerifyReport =>
      verifyBundle({ bundle: two.bundle(), policy: two.policy, run });
    expect(judged('run_07').runs.map(({ run }) => run)).toEqual([start.run]);
    expect(() => judged('run_0')).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT', message: '2 runs of the bundle begin with run_0' }),
    );
  });

  it('compares with checkpoints that sites kept', () => {
    const bundle = log.bundle();
    const with_ = (note: string): VerifyReport =>
      verifyBundle({ bundle, policy: log.policy, siteCheckpoints: [note] });
    expect(with_(log.note(20)).status).toBe('pass');
    const fork = sampleRun({ spoil: change('policy.set', { retentionClass: 'other' }, 2) });
    expect(failed(with_(fork.note(40)))).toEqual(['L2']);
    fork.add(log.entries[3] ?? new Uint8Array(0));
    const longer = with_(fork.note());
    expect(longer.firstLine).toMatch(/^FAIL {2}entry 68 .* L1: a site keeps a checkpoint of size 69/);
    const [origin, size, root = '', ...rest] = log.note(20).split('\n');
    const otherRoot = (root.startsWith('A') ? 'B' : 'A') + root.slice(1);
    expect(failed(with_([origin, size, otherRoot, ...rest].join('\n')))).toEqual(['L2']);
  });

  it('verifies a log without any run', () => {
    const short = sampleRun();
    short.entries.splice(11);
    const kept = short.entries.flatMap((bytes) => JSON.stringify(parseEntry(bytes)));
    for (const digest of short.attachments.keys())
      if (!kept.join().includes(digest)) short.attachments.delete(digest);
    const report = verify(short);
    expect(report.firstLine).toBe(
      'PASS  fed_sample: 11 entries; no run; L2 not applicable: gate mode signed, no site cosigned',
    );
    expect(report.rules.find(({ id }) => id === 'S1')?.status).toBe('not-applicable');
  });
});

describe('approvals', () => {
  it.each<[string, string, SampleOptions]>([
    ['a missing approval', 'A2', { omit: (kind, seen) => kind === 'plan.approve' && seen === 2 }],
    ['an approval of another digest', 'A2', { spoil: change('plan.approve', { planHash: other }, 1) }],
    ['an approval of another dataset', 'A2', { spoil: change('plan.approve', { commitment: other }, 1) }],
    ['an approval under another policy', 'A2', { spoil: change('plan.approve', { policy: other }, 1) }],
    [
      'an expired approval',
      'A2',
      { spoil: change('plan.approve', { validUntil: '2026-11-20T10:00:01.000Z' }, 1) },
    ],
    [
      'an expired policy',
      'A2',
      { spoil: change('policy.set', { validUntil: '2026-11-20T10:00:01.000Z' }, 1) },
    ],
    ['a plan that was not proposed', 'A2', { spoil: change('run.start', { proposal: 3 }) }],
    ['sites outside the plan', 'A2', { spoil: change('run.start', { sites: [1, 2, 3, 4] }) }],
    ['a run without start', 'A2', { omit: (kind) => kind === 'run.start' }],
    [
      'a contribution under another policy',
      'A2',
      { spoil: change('round.contribution', { policy: other }, 5) },
    ],
    ['a purpose outside the policy', 'A1', { spoil: change('policy.set', { purposes: ['quality'] }, 4) }],
    [
      'a changed plan',
      'A3',
      { spoil: change('plan.propose', { plan: attachmentOf(samplePolicyBytes('site-1'), MediaType.json) }) },
    ],
    ['a provenance of other code', 'A3', { builtCode: other }],
    ['other code', 'A3', { spoil: change('round.contribution', { code: other }, 3) }],
    ['a run called public after a site took that back', 'A2', { closedAgain: 3, claimPublic: true }],
    [
      'an approval of a version that was replaced before the run',
      'A2',
      { closedAgain: 3, spoil: change('dataset.commit', { version: 2 }, 3) },
    ],
    ['a run called public without public data', 'A2', { publicData: false, claimPublic: true }],
    ['a run on real data in gate mode signed', 'L2', { publicData: false }],
  ])('finds %s: %s', (_: string, rule: string, options: SampleOptions) => {
    const report = spoiled(options);
    expect(failed(report)).toContain(rule);
    expect(report.firstLine).toMatch(/^FAIL {2}entry \d+ \([a-z.]+ by [a-z]+ [a-z0-9-]+\), [A-Z]\d: /);
  });
});

describe('rounds', () => {
  const aggregate = (fields: Record<string, unknown>): SampleOptions => ({
    spoil: change('round.aggregate', fields, 1),
  });
  it.each<[string, string, SampleOptions]>([
    ['other survivors than the evidence', 'S2', aggregate({ u3: [1, 2, 3, 4] })],
    ['a wrong h2', 'S2', aggregate({ h2: other })],
    ['a wrong sum', 'S2', aggregate({ aggregateRoot: other })],
    ['a wrong transcript', 'S2', aggregate({ transcript: other })],
    ['a forged close', 'S2', aggregate({ closeSignature: `${'A'.repeat(86)}==` })],
    [
      'wrong thresholds',
      'S2',
      aggregate({ thresholds: { N: 5, M: 5, n: 5, c: 0, quorum: 3, t: 3, uMin: 3, h: 3 } }),
    ],
    [
      'sites that are said to have dropped',
      'S2',
      aggregate({ dropped: [{ site: 2, stage: 'r2', code: 'E_UPLOAD' }] }),
    ],
    ['a sum of no round', 'S2', aggregate({ context: other })],
    ['an unlisted contribution', 'S2', aggregate({ contributions: [] })],
    [
      'a masked input without contribution',
      'S2',
      { omit: (kind, seen) => kind === 'round.contribution' && seen === 6 },
    ],
    [
      'a contribution for another input',
      'S2',
      { spoil: change('round.contribution', { maskedInput: { length: 702, root: other } }, 6) },
    ],
    ['an answer that was not logged', 'S2', { omit: (kind, seen) => kind === 'round.unmask' && seen === 5 }],
    [
      'an answer for other survivors',
      'S2',
      { spoil: change('round.unmask', { survivors: [1, 2, 3, 4] }, 6) },
    ],
    ['both kinds of share', 'S2', { spoil: change('round.unmask', { maskKey: [3] }, 6) }],
    ['an answer for another set', 'S2', { spoil: change('round.unmask', { consistency: other }, 6) }],
    ['another answer than was given', 'S2', { spoil: change('round.unmask', { answer: other }, 6) }],
    ['an abort that does not recompute', 'S2', { spoil: change('round.abort', { reason: 'E_FAULT' }) }],
    ['a manifest for another step', 'S2', { spoil: change('round.open', { stepId: 'moments' }, 1) }],
    ['a manifest of another model', 'S2', { spoil: change('round.open', { modelIn: other }, 1) }],
    [
      'a forged manifest',
      'S2',
      { spoil: change('round.open', { manifestSignature: `${'A'.repeat(86)}==` }, 1) },
    ],
    [
      'thresholds below the plan',
      'S2',
      {
        spoil: change('plan.propose', {
          secureAggregation: {
            gamma: { num: 1, den: 4 },
            nMin: 5,
            quantization: 1,
            weightCap: 1024,
            fractionBits: 24,
          },
        }),
      },
    ],
    ['a cohort below the policy of a site', 'S1', { spoil: change('policy.set', { minCohort: 6 }, 2) }],
    ['a chain value that does not recompute', 'L1', { spoil: change('round.open', { chain: other }, 2) }],
    ['another model at a site', 'S4', { spoil: change('round.contribution', { modelIn: other }, 6) }],
    [
      'another feature specification at a site',
      'S4',
      { spoil: change('round.contribution', { featureSpecification: other }, 6) },
    ],
    ['a site that derived another model', 'S4', { spoil: change('round.ack', { modelOut: other }, 2) }],
    [
      'a wrong tile',
      'S4',
      { spoil: change('round.ack', { audited: { tiles: [0], count: 1, result: 'differ' } }, 2) },
    ],
    ['a final model from nowhere', 'S4', { spoil: change('run.finish', { finalModel: other }) }],
    ['rounds that did not close', 'S4', { spoil: change('run.finish', { rounds: 9 }) }],
    ['a wrong coverage', 'D2', aggregate({ coverage: { sites: 3, band: '500+' } })],
    [
      'an e-mail address',
      'D1',
      { spoil: change('plan.approve', { conditions: ['ask jane.doe@hospital.example first'] }, 2) },
    ],
    ['a sample barcode', 'D1', { spoil: change('plan.approve', { conditions: ['made from TCGA-A1-A0SB'] }) }],
    ['a date of birth', 'D1', { spoil: change('plan.approve', { conditions: ['born 1961-02-03'] }, 2) }],
    [
      'a random-looking word',
      'D1',
      { spoil: change('plan.approve', { conditions: ['q8Zr1LxT0vYp4NwKd7JmS2bFhGcE9aUi'] }, 2) },
    ],
  ])('finds %s: %s', (_: string, rule: string, options: SampleOptions) => {
    const report = spoiled(options);
    expect(failed(report)).toContain(rule);
    expect(report.firstLine).toMatch(/^FAIL {2}entry \d+ /);
  });

  it('names the model that was swapped between two rounds', () => {
    const report = spoiled({ spoil: change('round.aggregate', { modelOut: other }, 1) });
    expect(failed(report)).toEqual(expect.arrayContaining(['S2', 'S4']));
  });
});

describe('a burnt round', () => {
  const s2 = (report: VerifyReport): string | undefined => report.rules.find(({ id }) => id === 'S2')?.note;

  it('may be answered once more after k administrators reopened it', () => {
    expect(failed(spoiled({ reopened: true }))).toEqual([]);
  });

  it('is found when it is answered once more without a Reopen', () => {
    const report = spoiled({ reopened: true, omit: (kind) => kind === 'round.reopen' });
    expect(failed(report)).toEqual(['S2']);
    expect(report.firstLine).toMatch(/site-1 answered round 1 twice/);
  });

  it('is found when fewer sites than the Reopen names are in its sum', () => {
    const report = spoiled({ reopened: true, lost: 5 });
    expect(failed(report)).toEqual(['S2']);
    expect(s2(report)).toBe('the reopened round 1 has other contributors than its Reopen');
  });

  it('is found when nobody knows the administrators', () => {
    const log = sampleRun({ reopened: true });
    const { roster } = log.history.at(0).genesis;
    log.attachments.delete(roster.digest);
    const report = verifyBundle({ bundle: log.bundle(), policy: log.policy });
    expect(failed(report)).toEqual(['L3', 'L5', 'S2']);
    expect(s2(report)).toContain('a Reopen whose administrators are not known');
  });

  it.each<[string, SampleOptions, RegExp]>([
    [
      'without one contributor',
      { reopened: [1, 2, 3, 4] },
      /contributors are not those of the burnt attempt/,
    ],
    ['another model', { reopened: true, spoil: change('round.reopen', { modelHash: other }) }, /not valid/],
    ['too few administrators', { reopened: true, spoil: fewer(2) }, /2 of 3 administrators signed/],
    [
      'an attempt that was not opened',
      { reopened: true, spoil: change('round.reopen', { burnt: 7 }) },
      /not opened/,
    ],
    [
      'survivors that nobody answered',
      { reopened: true, spoil: change('round.reopen', { consistency: other }) },
      /no site answered/,
    ],
  ])('is found when the Reopen names %s', (_, options, why) => {
    const report = spoiled(options);
    expect(failed(report)).toEqual(['S2']);
    expect(report.firstLine + (s2(report) ?? '')).toMatch(why);
  });
});

/** Cuts the signatures of a Reopen. */
function fewer(signatures: number): SampleOptions['spoil'] {
  return (kind, body) =>
    kind === 'round.reopen'
      ? { ...body, signatures: (body['signatures'] as unknown[]).slice(0, signatures) }
      : body;
}
