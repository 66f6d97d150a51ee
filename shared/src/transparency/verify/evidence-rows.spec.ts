import { describe, expect, it } from '@jest/globals';
import { utf8 } from '../../crypto/index.js';
import {
  forkedNote,
  type SampleLog,
  sampleRun,
  twinOfFirstPolicy,
  writeAnchor,
  writeEvidence,
  writeRefusal,
  writeReport,
} from '../../transparency-samples/index.js';
import { verifyBundle } from './verify-bundle.js';

/** What the verifier says of a run after whose end `say` wrote an entry. */
function judged(say: (log: SampleLog) => unknown) {
  const log = sampleRun();
  say(log);
  const { status, firstLine, rules } = verifyBundle({
    bundle: log.bundle(),
    policy: log.policy,
    asOf: new Date(Date.UTC(2026, 10, 21)),
  });
  return { status, firstLine, row: (id: string) => rules.find((rule) => rule.id === id) };
}
const pair = (a: string, b: string): [Uint8Array, Uint8Array] => [utf8(a), utf8(b)];
const first = (log: SampleLog): Uint8Array => log.entries[1] ?? new Uint8Array(0);

describe('what the log says of its own states', () => {
  it('holds when reports and anchors name states of it', () => {
    const { status, firstLine } = judged((log) => [writeReport(log, 20), writeAnchor(log, 68)]);
    expect([status, firstLine]).toEqual(['pass', expect.stringContaining('70 entries')]);
  });

  it.each<[string, (log: SampleLog) => unknown, RegExp]>([
    [
      'a report on another root',
      (log) => writeReport(log, 20, log.rootAt(21)),
      /^FAIL {2}entry 68 \(report\.issued by coordinator coordinator\), L1/,
    ],
    [
      'a report on a later log',
      (log) => (writeReport(log, 69, log.rootAt(68)), log),
      /^FAIL {2}entry 68 .*L1: .*size 69/,
    ],
    [
      'an anchor whose token dates another checkpoint',
      (log) => writeAnchor(log, 20, 21),
      /^FAIL {2}entry 68 \(anchor .*L1: the token/,
    ],
    [
      'a refusal that shows a fork',
      (log) => writeRefusal(log, log.note(20), forkedNote(log, 40)),
      /^FAIL {2}entry 68 \(witness\.refusal by site site-3\), L2: .*forked/,
    ],
    [
      'a refusal of a first checkpoint that shows a fork',
      (log) => writeRefusal(log, null, forkedNote(log, 90)),
      /^FAIL {2}entry 68 .*L2/,
    ],
    [
      'a refusal that the log key did not cause',
      (log) => writeRefusal(log, null, forkedNote(log, 40, new Uint8Array(32))),
      /^FAIL {2}entry 68 .*L3: the evidence is no checkpoint/,
    ],
    [
      'two signed notes of one size',
      (log) => writeEvidence(log, 'notes', pair(log.note(40), forkedNote(log, 40))),
      /^FAIL {2}entry 68 \(fork\.evidence by site site-2\), L2/,
    ],
    [
      'two notes of one log',
      (log) => writeEvidence(log, 'notes', pair(log.note(40), log.note(20))),
      /^FAIL {2}entry 68 .*L3: .*proves no fork/,
    ],
    [
      'two entries with other numbers',
      (log) => writeEvidence(log, 'entries', [first(log), log.entries[2] ?? first(log)]),
      /^FAIL {2}entry 68 .*L3: .*proves no fork/,
    ],
    [
      'one entry twice',
      (log) => writeEvidence(log, 'entries', [first(log), first(log)]),
      /^FAIL {2}entry 68 .*L3: .*proves no fork/,
    ],
    [
      'an entry that its actor did not sign',
      (log) => writeEvidence(log, 'entries', [first(log), forgedTwin()]),
      /^FAIL {2}entry 68 .*L3: .*not signed/,
    ],
    [
      'an entry of another federation',
      (log) => writeEvidence(log, 'entries', [first(log), foreign(first(log))]),
      /^FAIL {2}entry 68 .*L3: the evidence is about another federation/,
    ],
    [
      'bytes that are no entry',
      (log) => writeEvidence(log, 'entries', [first(log), utf8('{}')]),
      /^FAIL {2}entry 68 .*L3: the evidence is no entry/,
    ],
  ])('fails by %s', (_, say, line) => {
    const { status, firstLine } = judged(say);
    expect([status, firstLine]).toEqual(['fail', expect.stringMatching(line)]);
  });

  it('asks a person about two entries that a member signed under one number', () => {
    const { status, row } = judged((log) => writeEvidence(log, 'entries', [first(log), twinOfFirstPolicy()]));
    expect(status).toBe('pass');
    expect(row('L3')).toMatchObject({
      status: 'needs-human',
      note: 'steward site-1 signed two entries with number 0 (entry 68)',
    });
  });

  it('asks a person about a refusal of a checkpoint that is a state of the log', () => {
    const { status, row } = judged((log) => writeRefusal(log, log.note(20), log.note(40)));
    expect([status, row('L2')?.status]).toEqual(['pass', 'needs-human']);
  });

  it.each<[string, (log: SampleLog) => unknown]>([
    ['a refusal', (log) => writeRefusal(log, null, forkedNote(log, 40))],
    ['two notes', (log) => writeEvidence(log, 'notes', pair(log.note(40), forkedNote(log, 40)))],
    ['two entries', (log) => writeEvidence(log, 'entries', [first(log), twinOfFirstPolicy()])],
  ])('leaves evidence whose attachment is gone to row L5: %s', (_, say) => {
    const { firstLine, row } = judged((log) => {
      say(log);
      log.attachments.delete([...log.attachments.keys()].at(-1) ?? '');
    });
    expect(firstLine).toMatch(/^FAIL {2}entry 68 .*L5/);
    expect([row('L2')?.status, row('L3')?.status]).toEqual(['not-applicable', 'pass']);
  });
});

function foreign(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes).toString();
  return utf8(text.replace(/"fed":"fed_[a-z0-9]+"/, '"fed":"fed_elsewhere"'));
}

function forgedTwin(): Uint8Array {
  const text = Buffer.from(twinOfFirstPolicy()).toString();
  return utf8(text.replace(/"sig":"(.)/, (_, c: string) => `"sig":"${c === 'A' ? 'B' : 'A'}`));
}
