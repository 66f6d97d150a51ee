import { describe, expect, it } from '@jest/globals';
import {
  sampleExport,
  type SampleLog,
  type SampleOptions,
  type SampleRelease,
  sampleRelease,
  sampleRun,
} from '../../transparency-samples/index.js';
import { digestText, explainEntry, type LogEntry, NOT_PROTECTED, parseEntry } from '../index.js';
import type { VerifyReport } from './report.js';
import { verifyBundle } from './verify-bundle.js';

const privacy = { cap: '3' };
const other = digestText(new Uint8Array(32).fill(9));
const rowOf = (report: VerifyReport, id: string) => report.rules.find((rule) => rule.id === id);
const verify = (log: SampleLog): VerifyReport => verifyBundle({ bundle: log.bundle(), policy: log.policy });
const runs = new Map<SampleOptions, SampleLog>();
const [PRIVATE, OPEN]: SampleOptions[] = [{ privacy }, {}];
/** A release at the end of a run; the runs are made once, and an earlier release is taken away. */
const released = (wrong: SampleRelease, options: SampleOptions = PRIVATE!) => {
  const log = runs.get(options) ?? sampleRun(options);
  runs.set(options, log);
  while (parseEntry(log.entries.at(-1)!).kind.startsWith('model.')) log.entries.pop();
  return { log, index: sampleRelease(log, wrong) };
};

describe('a released model', () => {
  it.each([
    ['of a private run', { privacy }],
    ['of a run without differential privacy', {}],
  ])(
    'with its approvals and its attack report passes, and reads in words: %s',
    (_, options: SampleOptions) => {
      const { log, index } = released({}, options);
      const out = sampleExport(log, index);
      const report = verify(log);
      expect(report.firstLine).toMatch(/^PASS/);
      expect(rowOf(report, 'R1')).toMatchObject({
        status: 'pass',
        note: expect.stringMatching(/released: sha256:/),
      });
      expect(rowOf(report, 'R2')).toMatchObject({
        status: 'pass',
        note: expect.stringMatching(/finds 0 of the members at 1 %/),
      });
      const words = explainEntry(parseEntry(log.entries[index]!), index);
      expect(words).toMatch(/researcher r1 released the model sha256:.*approved by the stewards of site-1, /);
      expect(words).toMatch(
        'privacy' in options ? /site-5 ε = .* at δ = 0.001/ : /not protected by differential/,
      );
      expect(explainEntry(parseEntry(log.entries[out]!), out)).toMatch(`under the release of entry ${index}`);
    },
  );

  it.each<[string, SampleRelease, SampleOptions | undefined, RegExp]>([
    [
      'without one approval',
      { approvers: ['site-1', 'site-2', 'site-3', 'site-4'] },
      undefined,
      /no approval.*site-5$/,
    ],
    ['without any approval', { approvers: [] }, undefined, /no approval/],
    ['changed after it was approved', { afterwards: { intendedUse: 'sale' } }, undefined, /no approval/],
    ['of another model', { terms: { model: other } }, undefined, /is not the final model/],
    ['of an arm that the run has not', { terms: { arm: 3 } }, undefined, /is not the final model/],
    ['that calls a private run unprotected', { terms: { privacy: NOT_PROTECTED } }, undefined, /no total/],
    [
      'that promises what the plan does not',
      { terms: { privacy: guarantee('0.1') } },
      {},
      /claims no privacy/,
    ],
    [
      'with less ε than the ledgers',
      { terms: { privacy: guarantee('0.1') } },
      undefined,
      /is below the 0.80\d+ of its/,
    ],
    ['with another δ', { terms: { privacy: guarantee('2.9', '0.01') } }, undefined, /δ = 0.01 of site-1/],
    [
      'with totals of too few sites',
      { terms: { privacy: { ...guarantee('2.9'), sites: [] } } },
      undefined,
      /no total/,
    ],
    [
      'that names another unit',
      { terms: { privacy: { ...guarantee('2.9'), unit: 'library' } } },
      undefined,
      /unit/,
    ],
  ])('%s breaks R1', (_, wrong, options, note) => {
    const { log, index } = released(wrong, options);
    expect(rowOf(verify(log), 'R1')).toMatchObject({
      ...{ status: 'fail', evidence: [index] },
      note: expect.stringMatching(note),
    });
  });

  it.each<[string, SampleRelease, SampleOptions | undefined, RegExp]>([
    ['without an attack report', { terms: { tests: [] } }, undefined, /no attack report/],
    ['with the report of another model', { report: { model: other } }, undefined, /of another model/],
    ['with the report of another arm', { report: { arm: 1 } }, undefined, /of another model/],
    [
      'with the report of another run',
      { report: { run: `run_${'08'.repeat(16)}` } },
      undefined,
      /of another model/,
    ],
    ['with a report by another site', { report: { site: 'site-2' } }, undefined, /not by a site/],
    ['with a report about other data', { report: { commitment: other } }, undefined, /about other data/],
    ['with a report of too few units', { report: { members: '<20' as never } }, undefined, /cannot be read/],
    ['with an attack above its bound', { point: { found: '0.75' } }, undefined, /more members are found/],
    [
      'with a raised bound',
      { point: { bound: '0.99', found: '0.75' } },
      undefined,
      /the bound at 0.001 is above/,
    ],
    ['without the bound', { point: { bound: null } }, undefined, /no bound is stated/],
    ['with a widened error', { point: { error: '0.5' } }, undefined, /larger than its counts give/],
    ['with a bound that nothing gives', { point: { bound: '0.5' } }, OPEN, /claims no privacy/],
    ['with a share finer than its counts', { point: { found: '0.015625' } }, undefined, /cannot be read/],
  ])('%s breaks R2', (_, wrong, options, note) => {
    const { log, index } = released(wrong, options);
    const report = verify(log);
    expect(rowOf(report, 'R2')).toMatchObject({
      ...{ status: 'fail', evidence: [index] },
      note: expect.stringMatching(note),
    });
    expect(rowOf(report, 'R1')?.status).toBe('pass');
  });

  it('is not named private without an attack report that can be found', () => {
    const { log, index } = released({});
    const entry = parseEntry(log.entries[index]!);
    const digest = entry.kind === 'model.release' ? (entry.body.tests[0]?.report.digest ?? '') : '';
    log.attachments.delete(digest);
    const report = verify(log);
    expect(rowOf(report, 'R2')).toMatchObject({ status: 'fail', evidence: [index] });
    expect(rowOf(report, 'L5')).toMatchObject({ status: 'fail', evidence: [index] });
  });

  it('states no bound that nobody can recompute', () => {
    const { log, index } = released({});
    const proposal = log.entries.map(parseEntry).find(({ kind }) => kind === 'plan.propose');
    const { digest } = (proposal as LogEntry<'plan.propose'>).body.plan;
    const plan = log.attachments.get(digest)!;
    log.attachments.delete(digest);
    const row = rowOf(verify(log), 'R2');
    log.attachments.set(digest, plan);
    expect(row).toMatchObject({ status: 'fail', evidence: [index] });
    expect(row?.note).toContain('cannot be recomputed');
  });

  it('is signed by a researcher and nobody else', () => {
    const { log, index } = released({});
    const entry = parseEntry(log.entries[index]!) as LogEntry<'model.release'>;
    expect(() => log.write(['steward', 'site-1'], 'model.release', { run: entry.run }, entry.body)).toThrow(
      expect.objectContaining({ code: 'E_LOG_ENTRY' }),
    );
  });

  it('is no model of a run that has not ended', () => {
    const { log, index } = released({}, { omit: (kind) => kind === 'run.finish' });
    expect(rowOf(verify(log), 'R1')).toMatchObject({ status: 'fail', evidence: [index] });
  });

  it('of a run that failed is none either', () => {
    const failed: SampleOptions = {
      privacy,
      spoil: (kind, body) => (kind === 'run.finish' ? { ...body, status: 'FAILED' } : body),
    };
    const { log, index } = released({}, failed);
    expect(rowOf(verify(log), 'R1')).toMatchObject({ status: 'fail', evidence: [index] });
  });

  it('contains no data that were withdrawn before, and is listed when they are withdrawn later', () => {
    const word = { dataset: 'expression', scope: 'all', reason: 'consent' } as const;
    const before = sampleRun({ privacy });
    before.write(['steward', 'site-2'], 'dataset.withdraw', {}, word);
    const index = sampleRelease(before);
    const out = sampleExport(before, index);
    expect(rowOf(verify(before), 'X1')).toMatchObject({ status: 'fail', evidence: [index, out] });
    const { log, index: released_ } = released({});
    log.write(['steward', 'site-2'], 'dataset.withdraw', {}, word);
    const row = rowOf(verify(log), 'X1');
    expect(row?.status).toBe('pass');
    expect(row?.note).toMatch(
      new RegExp(`contains expression of site-2; .* was released by entry ${released_}$`),
    );
  });

  it('is exported under its release, and as that file', () => {
    const { log, index } = released({});
    const first = sampleExport(log, 3);
    const second = sampleExport(log, index, { file: { digest: other, size: 72 } });
    const third = sampleExport(log, index, { model: other });
    expect(rowOf(verify(log), 'R1')).toMatchObject({ status: 'fail', evidence: [first, second, third] });
  });
});

function guarantee(epsilon: string, delta = '0.001') {
  const sites = ['site-1', 'site-2', 'site-3', 'site-4', 'site-5'].map((site) => ({ site, epsilon, delta }));
  return { unit: 'patient', adjacency: 'add-remove', sites } as const;
}
