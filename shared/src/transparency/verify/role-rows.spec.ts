import { describe, expect, it } from '@jest/globals';
import {
  personKey,
  type SampleLog,
  sampleRun,
  writeGrant,
  writeProposal,
  writeRevoke,
} from '../../transparency-samples/index.js';
import { digestText } from '../entries/fields.js';
import { verifyBundle } from './verify-bundle.js';

/** The first line about a run after whose end `say` wrote entries; 68 is the first of them. */
function lineAfter(say: (log: SampleLog) => unknown): string {
  const log = sampleRun();
  say(log);
  const asOf = new Date(Date.UTC(2026, 10, 21));
  return verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf }).firstLine;
}
/** A report over the first `size` entries, by the auditor r2. */
function writeAuditorsReport(log: SampleLog, size: number): number {
  const checkpoint = { size, root: digestText(log.rootAt(size)) };
  const body = { report: digestText(log.rootAt(1)), checkpoint, verifier: 'regulon-0.1.0' };
  return log.write(['auditor', 'r2'], 'report.issued', {}, body);
}
const soon = { validUntil: '2026-11-20T10:01:11.000Z' };

describe('roles that people get and lose', () => {
  it('let a person act under an own key until their end', () => {
    expect(lineAfter((log) => [writeGrant(log, 'r2'), writeProposal(log, 'r2')])).toMatch(
      /^PASS .*70 entries/,
    );
    expect(
      lineAfter((log) => [writeGrant(log, 'r2', soon), writeGrant(log, 'r2'), writeProposal(log, 'r2')]),
    ).toMatch(/^PASS/);
    expect(lineAfter((log) => [writeRevoke(log, 'r1'), writeGrant(log, 'r2')])).toMatch(/^PASS/);
  });

  it.each<[string, (log: SampleLog) => unknown, RegExp]>([
    [
      'a launch without a role',
      (log) => writeProposal(log, 'r2'),
      /^FAIL {2}entry 68 \(plan\.propose by researcher r2\), L3/,
    ],
    [
      'a launch after the role ended',
      (log) => [
        writeGrant(log, 'r2', soon),
        writeProposal(log, 'r2'),
        writeProposal(log, 'r2'),
        writeProposal(log, 'r2'),
      ],
      /^FAIL {2}entry 71 \(plan\.propose .*A1: the role of researcher r2 ended at/,
    ],
    [
      'a launch after the role was taken away',
      (log) => [writeGrant(log, 'r2'), writeRevoke(log, 'r2'), writeProposal(log, 'r2')],
      /^FAIL {2}entry 70 .*A1: .*was revoked/,
    ],
    [
      'a launch by a person of entry 0 who lost the role',
      (log) => [writeRevoke(log, 'r1'), writeProposal(log, 'r1')],
      /^FAIL {2}entry 69 .*A1: .*was revoked/,
    ],
    [
      'a grant of a key that is none',
      (log) => writeGrant(log, 'r2', { key: `a+00000000+${'A'.repeat(44)}` }),
      /^FAIL {2}entry 68 .*L3: a verifier key is not of the form/,
    ],
    [
      'a report after the role ended',
      (log) => [
        writeGrant(log, 'r2', { role: 'auditor', ...soon }),
        ...[20, 21, 22].map((size) => writeAuditorsReport(log, size)),
      ],
      /^FAIL {2}entry 71 .*L3: the role of auditor r2 ended at/,
    ],
    [
      'a steward who grants alone',
      (log) => writeGrant(log, 'r2', {}, false),
      /^FAIL {2}entry 68 \(role\.grant by steward site-1\), L3: .*coordinator.* missing/,
    ],
    [
      'a role under the key of another',
      (log) => writeGrant(log, 'r2', { key: personKey(log, 'researcher', 'r1') }),
      /^FAIL {2}entry 68 .*L3: .*type or name/,
    ],
    [
      'a role under the key of a site',
      (log) => (
        log.federation.exchange('researcher', 'r2', log.federation.seedOf('site', 'site-4')),
        writeGrant(log, 'r2')
      ),
      /^FAIL {2}entry 68 .*L3: .*another role/,
    ],
    [
      'a second key of a person',
      (log) => (
        writeGrant(log, 'r2'),
        log.federation.exchange('researcher', 'r2', new Uint8Array(32).fill(5)),
        writeGrant(log, 'r2')
      ),
      /^FAIL {2}entry 69 .*L3: .*another key/,
    ],
    [
      'a key that comes back',
      (log) => [writeGrant(log, 'r2'), writeRevoke(log, 'r2'), writeGrant(log, 'r2')],
      /^FAIL {2}entry 70 .*L3: .*was revoked before/,
    ],
    ['a role that nobody has', (log) => writeRevoke(log, 'r2'), /^FAIL {2}entry 68 .*L3: .*no role/],
    [
      'a role that ends before it begins',
      (log) => writeGrant(log, 'r2', { validUntil: '2026-01-01T00:00:00.000Z' }),
      /^FAIL {2}entry 68 .*L3: .*before it begins/,
    ],
  ])('fails by %s', (_, say, line) => {
    expect(lineAfter(say)).toMatch(line);
  });
});
