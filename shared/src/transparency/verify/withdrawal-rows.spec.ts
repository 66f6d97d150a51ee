import { describe, expect, it } from '@jest/globals';
import { type SampleLog, sampleRun, type StewardWord } from '../../transparency-samples/index.js';
import { explainEntry, parseEntry } from '../index.js';
import type { VerifyReport } from './report.js';
import { verifyBundle } from './verify-bundle.js';

const rowOf = (report: VerifyReport, id: string) => report.rules.find((rule) => rule.id === id);
const verify = (log: SampleLog): VerifyReport => verifyBundle({ bundle: log.bundle(), policy: log.policy });
const indexOf = (log: SampleLog, kind: string): number =>
  log.entries.findIndex((bytes) => parseEntry(bytes).kind === kind);

/** A run in which the steward of a site takes something back before the first entry of a kind is written. */
const takenBack = (
  first: string,
  kind: 'dataset.withdraw' | 'plan.reject' | 'plan.withdraw',
  scope: 'all' | 'commitment' = 'all',
): SampleLog => {
  const [site, reason] = ['site-2', 'consent'];
  const planHash = sampleRun().planHash;
  const word: StewardWord =
    kind === 'dataset.withdraw'
      ? { site, kind, body: { dataset: 'expression', scope, reason } }
      : { site, kind, body: { planHash, reason } };
  return sampleRun({ before: (next, seen) => (next === first && seen === 0 ? word : undefined) });
};

describe('what a steward has taken back', () => {
  it('leaves the past as it is, and lists the models that contain it', () => {
    const log = sampleRun();
    const body = { dataset: 'expression', scope: 'all', reason: 'consent' } as const;
    const index = log.write(['steward', 'site-2'], 'dataset.withdraw', {}, body);
    const report = verify(log);
    expect(report.firstLine).toMatch(/^PASS/);
    const finish = parseEntry(log.entries[indexOf(log, 'run.finish')]!);
    const model = finish.kind === 'run.finish' ? finish.body.finalModel : null;
    expect(rowOf(report, 'X1')).toMatchObject({
      ...{ status: 'pass', note: expect.stringContaining(`${model} of run_`) },
    });
    expect(rowOf(report, 'X1')?.note).toMatch(/contains expression of site-2$/);
    expect(explainEntry(parseEntry(log.entries[index]!), index)).toMatch(
      /steward site-2 withdrew dataset expression for good \(consent\)/,
    );
  });

  it.each(['run.start', 'round.open'])('is not used after it: a dataset before %s', (kind) => {
    const log = takenBack(kind, 'dataset.withdraw');
    expect(rowOf(verify(log), 'X1')).toMatchObject({
      ...{ status: 'fail', evidence: expect.arrayContaining([indexOf(log, kind)]) },
      note: expect.stringMatching(/uses dataset expression of site-2, which was withdrawn/),
    });
  });

  it.each(['plan.reject', 'plan.withdraw'] as const)('is not run after it: %s', (kind) => {
    const log = takenBack('run.start', kind);
    expect(rowOf(verify(log), 'A2')).toMatchObject({
      ...{ status: 'fail', evidence: expect.arrayContaining([indexOf(log, 'run.start')]) },
      note: expect.stringMatching(/steward of site-2 had (rejected|withdrawn) the plan/),
    });
  });

  it('may be given again: a later approval, or a later commitment unless it is for good', () => {
    expect(rowOf(verify(takenBack('plan.approve', 'plan.withdraw')), 'A2')).toMatchObject({ status: 'pass' });
    const until = takenBack('dataset.commit', 'dataset.withdraw', 'commitment');
    expect(rowOf(verify(until), 'X1')).toMatchObject({
      status: 'pass',
      note: 'no model contains withdrawn data',
    });
    expect(rowOf(verify(takenBack('dataset.commit', 'dataset.withdraw')), 'X1')).toMatchObject({
      status: 'fail',
    });
  });
});
