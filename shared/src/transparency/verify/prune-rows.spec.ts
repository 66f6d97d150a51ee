import { describe, expect, it } from '@jest/globals';
import {
  exceptedRun,
  prunedFiles,
  sampleExport,
  pruneLog,
  type SampleLog,
  sampleRelease,
  sampleRun,
  type SampleOptions,
  type SpoiledPruning,
  writeBaseline,
} from '../../transparency-samples/index.js';
import { writeBundle } from '../bundle/layout.js';
import { parseEntry } from '../entries/parse.js';
import { longestClass } from './prune-rows.js';
import type { VerifyReport } from './report.js';
import { verifyBundle } from './verify-bundle.js';

const retention = [{ class: 'brief', days: 0 }];
const long = [...retention, { class: 'hipaa6y', days: 2192 }];

/** Rows of a report by status; of those that fail, with their first entry. */
const wrongRows = ({ rules }: VerifyReport): string[] =>
  rules.flatMap(({ id, status, evidence }) => (status === 'fail' ? [`${id} ${evidence[0] ?? 'log'}`] : []));
const status = ({ rules }: VerifyReport, row: string): string | undefined =>
  rules.find(({ id }) => id === row)?.status;

function judged(log: SampleLog): VerifyReport {
  const asOf = new Date(Date.UTC(2026, 10, 21));
  return verifyBundle({ bundle: writeBundle(prunedFiles(log)), policy: log.policy, asOf });
}

function ended(spoil: SpoiledPruning = {}, options: SampleOptions = {}): SampleLog {
  const log = sampleRun({ retention, ...options });
  pruneLog(log, spoil);
  return log;
}

/** Where the nth entry of a kind stands. */
const at = (log: SampleLog, kind: string, nth = 0): number =>
  log.entries.flatMap((bytes, i) => (parseEntry(bytes).kind === kind ? [i] : []))[nth] ?? -1;

describe('a log whose first entries went', () => {
  const log = ended();
  const report = judged(log);

  it('begins with its baseline, and rows that would need more are pruned', () => {
    expect(report.firstLine).toBe(
      `PASS  fed_sample: ${log.entries.length} entries, those before 256 pruned; no run; L2 not applicable: gate mode signed, no site cosigned`,
    );
    const kept = ['L1', 'L5'].map((row) => status(report, row));
    const lost = ['L3', 'L4', 'A1', 'A2', 'A3', 'S1', 'S2', 'S4', 'D1', 'D2', 'R1', 'R2'];
    expect([kept, lost.filter((row) => status(report, row) !== 'pruned')]).toEqual([
      ['pass', 'pass'],
      ['L4'],
    ]);
    expect(report.rules.find(({ id }) => id === 'S2')?.note).toContain('entries before 256 were pruned');
  });

  it('has a run that began later, in full', () => {
    const later = judged(sampleRun({ retention, pruned: {} }));
    expect(wrongRows(later)).toEqual([]);
    expect(later.runs.map(({ status: end, rounds }) => [end, rounds])).toEqual([['COMPLETED', 3]]);
    expect(status(later, 'S2')).toBe('pruned');
  });

  it('keeps exceptions from policies: a later run stands under one, and not under one that nobody else signed', () => {
    const later = (excepted: SampleOptions): SampleLog => sampleRun({ retention, pruned: {}, ...excepted });
    const [both, alone, none] = [exceptedRun({}), exceptedRun({}, []), exceptedRun(undefined)].map(later);
    expect([wrongRows(judged(both!)), status(judged(both!), 'A4')]).toEqual([[], 'pruned']);
    expect(wrongRows(judged(alone!))).toContain(`A4 ${at(alone!, 'policy.override')}`);
    expect(at(alone!, 'policy.override')).toBeLessThan(256);
    expect(wrongRows(judged(none!))).toEqual([`A1 ${at(none!, 'run.start')}`]);
  });

  it.each<[string, SampleLog, string, number]>([
    [
      'does not say so',
      (() => {
        const silent = sampleRun({ retention });
        writeBaseline(silent, []);
        return silent;
      })(),
      'L5',
      256,
    ],
    ['names no baseline', ended({ prune: { baseline: 3 } }), 'L5', 262],
    ['has a baseline that too few sites signed', ended({ sites: ['site-1', 'site-2', 'site-3'] }), 'L5', 260],
    [
      'went before its class had ended',
      ended({ prune: { class: 'hipaa6y' } }, { retention: long }),
      'L5',
      262,
    ],
    ['went under the shorter class', ended({ prune: { class: 'brief' } }, { retention: long }), 'L5', 262],
    ['went though there is no class', ended({}, { retention: [] }), 'L5', 262],
  ])('fails row L5 when it %s', (_, wrong, row, index) => {
    expect(wrongRows(judged(wrong))).toEqual([`${row} ${index}`]);
  });

  it('fails row P2 when the baseline states more than the next charge begins with', () => {
    const pruned: SpoiledPruning = {
      state: (state) => {
        const policy = state.repeated
          .map(({ entry }) => parseEntry(Uint8Array.from(Buffer.from(entry, 'base64'))))
          .find(({ kind }) => kind === 'policy.set');
        if (policy?.kind !== 'policy.set') throw new TypeError('no policy');
        const total = { site: 'site-1', dataset: 'expression', ledgerSeq: 0, after: '2.5' };
        return { ...state, ledgers: [{ ...total, policy: policy.body.policy.digest }] };
      },
    };
    const later = sampleRun({ retention, privacy: { cap: '3' }, pruned });
    expect(wrongRows(judged(later))).toEqual([`P2 ${at(later, 'round.contribution')}`]);
  });

  it('has all hash tiles of the entries that went', () => {
    const without = (path: string): VerifyReport => {
      const files = prunedFiles(log);
      files.delete(path);
      return verifyBundle({ bundle: writeBundle(files), policy: log.policy });
    };
    expect(wrongRows(without('tile/0/000'))).toEqual(['L1 0', 'L5 256']);
    expect(without('tile/1/000.p/1').firstLine).toMatch(/^FAIL {2}entry 0 /);
    const silent = sampleRun({ retention });
    writeBaseline(silent, []);
    const files = prunedFiles(silent);
    files.delete('tile/1/000.p/1');
    const { firstLine } = verifyBundle({ bundle: writeBundle(files), policy: silent.policy });
    expect(firstLine).toMatch(/^FAIL {2}entry 0 \(missing\), L1: .*\(and 1 more\)$/);
  });

  it('releases nothing of a run that went', () => {
    const released = ended();
    expect(wrongRows(judged(released))).toEqual([]);
    const index = sampleRelease(released);
    const out = sampleExport(released, index);
    const { rules } = judged(released);
    expect(rules.find(({ id }) => id === 'R1')).toMatchObject({ status: 'fail', evidence: [index, out] });
  });
});

describe('the class that keeps entries longest', () => {
  it('is none without classes', () => expect(longestClass([])).toBeUndefined());
  it('is the one of the most days, then the first by name', () => {
    const classes = [...long, { class: 'ai6m', days: 2192 }];
    expect(longestClass(classes)?.class).toBe('ai6m');
    expect(longestClass(classes.toReversed())?.class).toBe('ai6m');
  });
});
