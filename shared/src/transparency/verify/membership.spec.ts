import { beforeEach, describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, sha256, utf8 } from '../../crypto/index.js';
import type { SignedRoster } from '../../plan/index.js';
import {
  joined,
  left,
  rotated,
  type SampleLog,
  sampleRun,
  signSampleRoster,
} from '../../transparency-samples/index.js';
import {
  type BodyOf,
  explainEntry,
  type LogEntry,
  parseEntry,
  siteCheckpointPath,
  writeBundle,
} from '../index.js';
import type { VerifyReport } from './report.js';
import { verifyBundle } from './verify-bundle.js';

const quorum = (roster: SignedRoster['roster'], admins = [1, 2, 3]): SignedRoster =>
  signSampleRoster(roster, admins);
const rowOf = (report: VerifyReport, id: string) => report.rules.find((rule) => rule.id === id);
const asOf = new Date('2026-11-20T12:00:00Z');
const newSteward = sha256(utf8('new steward'));

describe('a log whose members change', () => {
  let log: SampleLog;
  let founding: SampleLog['federation']['roster'];
  beforeEach(() => {
    log = sampleRun({ gateMode: 'cosigned' });
    founding = log.federation.roster;
  });
  const verify = (policy = log.policy): VerifyReport => verifyBundle({ bundle: log.bundle(), policy, asOf });
  const setPolicy = (site: string): number => {
    const { body, attachment } = log.federation.policyBody(site);
    log.attach(attachment, 'application/json');
    return log.write(['steward', site], 'policy.set', {}, body);
  };

  it('passes when every change was signed by the quorum before it, under the keys of each index', () => {
    const six = joined(founding, 6);
    const five = left(six, 2, 'compromised');
    const last = rotated(five, 'steward', 3, newSteward);
    log.change(quorum(six));
    setPolicy('site-6');
    log.change(quorum(five));
    const index = log.change(signSampleRoster(last, [1, 3, 6]));
    log.federation.exchange('steward', 'site-3', newSteward);
    setPolicy('site-3');
    const report = verify();
    expect(report.firstLine).toMatch(/^PASS/);
    expect(report.quorum).toEqual({ N: 5, f: 1, q: 4 });
    expect(rowOf(report, 'X1')).toMatchObject({ status: 'pass' });
    expect(explainEntry(parseEntry(log.entries[index]!), index)).toMatch(
      /exchanged the steward key of site-3 \(routine\)/,
    );
  });

  it('asks for the quorum policy that is in force', () => {
    const { policy } = log;
    const index = log.change(quorum(joined(founding, 6)));
    expect(rowOf(verify(policy), 'L2')).toMatchObject({
      ...{ status: 'fail', evidence: [index] },
      note: expect.stringMatching(/other witnesses or another quorum than the policy/),
    });
  });

  describe('refuses an entry', () => {
    let change: { body: BodyOf<'member.join'>; attachments: readonly Uint8Array[] };
    beforeEach(() => {
      const { body, attachments } = log.history.successionOf(quorum(joined(founding, 6)));
      change = { body: body as BodyOf<'member.join'>, attachments };
      attachments.forEach((bytes) => log.attach(bytes, 'application/json'));
    });
    const add = (body: BodyOf<'member.join'>): number =>
      log.write(['coordinator', 'coordinator'], 'member.join', {}, body);
    const forged = (signed: SignedRoster): number =>
      add({ ...change.body, roster: log.attach(canonicalJsonBytes(signed), 'application/json') });

    it.each<[string, () => SignedRoster, RegExp]>([
      ['too few signed', () => quorum(joined(founding, 6), [1, 2]), /2 of 3 administrators signed/],
      ['nobody could know', () => quorum({ ...joined(founding, 6), version: 3 }), /the next one is due/],
      [
        'an administrator who was removed signed',
        () => {
          const seven = joined(founding, 7);
          const gone = left(seven, 3);
          log.change(quorum(seven));
          log.change(quorum(gone));
          return quorum(joined(gone, 6));
        },
        /signature of administrator 3 is not valid/,
      ],
    ])('whose roster %s', (_, roster, note) => {
      const index = forged(roster());
      expect(rowOf(verify(), 'L3')).toMatchObject({
        ...{ status: 'fail', evidence: [index] },
        note: expect.stringMatching(note),
      });
    });

    it('that says something else than its roster, or brings none', () => {
      const [wrong, none] = [
        add({ ...change.body, quorum: 3 }),
        add({ ...change.body, roster: { ...change.body.roster, digest: `sha256:${'0'.repeat(64)}` } }),
      ];
      expect(rowOf(verify(), 'L3')).toMatchObject({
        evidence: [wrong, none],
        note: expect.stringMatching(/says something else than its signed roster; .* cannot be read/),
      });
    });
  });

  it('takes nothing from a member that was removed, and from a key that was exchanged', () => {
    log.change(quorum(left(founding, 5)));
    const revoked = setPolicy('site-5');
    log.change(quorum(rotated(log.history.rosterAt(log.entries.length)!, 'steward', 4, newSteward)));
    const exchanged = setPolicy('site-4');
    expect(rowOf(verify(), 'L3')).toMatchObject({ status: 'fail', evidence: [revoked, exchanged] });
  });

  it('names a contribution of a member that was removed', () => {
    const before = log.entries.map((bytes) => parseEntry(bytes));
    const given = before.find(
      (entry): entry is LogEntry<'round.contribution'> =>
        entry.kind === 'round.contribution' && entry.actor.id === 'site-4',
    )!;
    log.change(quorum(left(founding, 4)));
    const { run, round, attempt, body } = given;
    const index = log.write(['site', 'site-4'], 'round.contribution', { run, round, attempt }, body);
    const report = verify();
    expect(rowOf(report, 'X1')).toMatchObject({
      ...{ status: 'fail', evidence: [index] },
      note: 'site-4 contributed after it was removed from the federation',
    });
    expect(rowOf(report, 'L3')).toMatchObject({ status: 'fail', evidence: [index] });
  });

  it('wants the members of before under the first checkpoint over a change', () => {
    const index = log.change(quorum(left(founding, 5)));
    const size = index + 1;
    const files = log.files();
    const some = (count: number): Uint8Array => {
      const names = log.history.at(size).members.map(({ name }) => name);
      return utf8(log.cosigned(size, names.slice(0, count)));
    };
    const judged = (first: number): VerifyReport => {
      files.set(siteCheckpointPath(size), some(first));
      files.set('checkpoint', some(3));
      return verifyBundle({ bundle: writeBundle(files), policy: log.policy, asOf });
    };
    expect(judged(4).firstLine).toMatch(/^PASS/);
    expect(rowOf(judged(3), 'L2')).toMatchObject({
      ...{ status: 'fail', evidence: [index] },
      note: expect.stringMatching(/has 3 cosignatures of members before the change, 4 are needed/),
    });
  });
});
