import { describe, expect, it } from '@jest/globals';
import { SampleLog } from '../../transparency-samples/index.js';
import { parseQuorumPolicy } from '../notes/quorum-policy.js';
import { Findings } from './findings.js';
import { type ReportParts, reportOf, type RunReport } from './report.js';

const log = new SampleLog();
const runOf = (k: number, isPublic: boolean): RunReport =>
  ({ run: `run_${k}`, status: 'COMPLETED', coverage: '1 of 1', public: isPublic }) as RunReport;

/** The first line about runs in which nothing is wrong. */
const lineOf = (...runs: RunReport[]): string =>
  reportOf({
    ...{ policy: parseQuorumPolicy(log.policy), asOf: new Date(0), genesis: undefined, runs },
    ...{ findings: new Findings(), labelOf: () => ({ kind: '', actor: { type: 'unreadable', id: '' } }) },
    files: { entries: log.entries, tree: { root: () => new Uint8Array(32) } },
  } as unknown as ReportParts).firstLine;

describe('the first line of a report', () => {
  it('names three runs, says which are on open data, and counts the others', () => {
    expect(lineOf()).toMatch(/^PASS {2}log: 1 entries; no run$/);
    expect(lineOf(runOf(1, true), runOf(2, false))).toMatch(
      /; run_1 COMPLETED, 1 of 1 \(public or simulated data\); run_2 COMPLETED, 1 of 1$/,
    );
    expect(lineOf(...[1, 2, 3, 4, 5].map((k) => runOf(k, false)))).toMatch(
      /run_3 COMPLETED, 1 of 1; 2 more runs$/,
    );
  });
});
