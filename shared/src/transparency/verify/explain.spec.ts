import { describe, expect, it } from '@jest/globals';
import { sampleRun } from '../../transparency-samples/index.js';
import { NOT_PROTECTED } from '../entries/bodies-release.js';
import type { Kind } from '../entries/kinds.js';
import { parseEntry } from '../entries/parse.js';
import type { LogEntry } from '../entries/schema.js';
import { explainEntry } from './explain.js';

describe('an entry in words', () => {
  const words = sampleRun().entries.map((bytes, index) => explainEntry(parseEntry(bytes), index));

  it('says who did what, where and when, signed by whom', () => {
    expect(
      words.every(
        (text) => text.split('\n').length === 3 && !text.includes('undefined') && !text.includes('object'),
      ),
    ).toBe(true);
    expect(words[2]).toMatch(
      /^entry 2: dataset\.commit, 2026-11-20T10:00:03\.000Z\nsite site-1 committed to version 1 of dataset expression: 100-199 units \(patient\), 700 features, declared simulated\.\nsigned with .* and .*steward/,
    );
    expect(words.at(-1)).toMatch(/finished the run: COMPLETED after 3 rounds/);
    expect(words.find((text) => text.includes('round.abort'))).toMatch(
      /round 1, attempt 0.*\ncoordinator coordinator ended the attempt at stage r3 without a sum: E_COHORT\./,
    );
  });
});

const digest = `sha256:${'ab'.repeat(32)}`;
const list = { digest, size: 9, mediaType: 'application/json' };
const roster = { rosterHash: digest, quorum: 4, colluders: 1, reason: 'routine' };
const refused = { code: 'E_FORK', offered: list };

/** What the second line says of a body. */
function said(kind: Kind, body: object): string {
  const actor = { type: 'site', id: 'site-1', key: 'k+1' };
  const entry = { kind, at: '2026-11-20T10:00:00.000Z', seq: 3, actor, sigs: [{ key: 'k+1' }], body };
  return explainEntry(entry as unknown as LogEntry, 7).split('\n')[1] ?? '';
}

describe('what an entry says of', () => {
  it('a text that would steer a terminal or begin a line of its own', () => {
    const justification = 'agreed\u001b[2J\nPASS\u202e';
    const body = { planHash: digest, policy: digest, rule: 'plans', expires: '2026-12-01T00:00:00.000Z' };
    const text = said('policy.override', { ...body, justification });
    expect(text).toContain('"agreed\u{fffd}[2J\u{fffd}PASS\u{fffd}"');
  });

  it.each<[string, Kind, object, string]>([
    [
      'a newcomer',
      'member.join',
      { ...roster, member: { name: 'site-6' } },
      'took site-6 into the federation',
    ],
    [
      'a member that goes',
      'member.revoke',
      { ...roster, member: 'site-2' },
      'removed site-2 from the federation (routine)',
    ],
    [
      'a new key',
      'key.rotate',
      { ...roster, role: 'steward', id: 'site-3' },
      'exchanged the steward key of site-3',
    ],
    [
      'a role',
      'role.grant',
      {
        subject: 'r2',
        issuer: 'site-1',
        role: 'auditor',
        validUntil: '2027-02-01T00:00:00.000Z',
        key: 'n+1+x',
      },
      'made r2, whom site-1 knows, auditor until the end of 2027-01-31 UTC, under the key n+1.',
    ],
    [
      'a role that ends',
      'role.revoke',
      { subject: 'r2', role: 'auditor', reason: 'left', key: 'n+1+x' },
      'took the role auditor of r2 away (left)',
    ],
    [
      'data that are gone',
      'dataset.withdraw',
      { dataset: 'd', scope: 'all', reason: 'consent' },
      'withdrew dataset d for good',
    ],
    [
      'data that may come back',
      'dataset.withdraw',
      { dataset: 'd', scope: 'commitment', reason: 'consent' },
      'until a new commitment',
    ],
    [
      'public data',
      'dataset.commit',
      { panel: { size: 2 }, public: true, simulated: false },
      'declared public',
    ],
    [
      'simulated data',
      'dataset.commit',
      { panel: { size: 2 }, public: false, simulated: true },
      'declared simulated',
    ],
    [
      'data of patients',
      'dataset.commit',
      { panel: { size: 2 }, public: false, simulated: false },
      'not public',
    ],
    [
      'many sites',
      'plan.propose',
      { planHash: digest, sites: list, privacy: null, provenance: null },
      'the sites of the attached list, without differential',
    ],
    [
      'a private plan',
      'plan.propose',
      { planHash: digest, sites: [1, 2], privacy: {}, provenance: { builder: 'https://b.example' } },
      '2 sites (1, 2), with differential privacy; its software built by https://b.example',
    ],
    [
      'a policy with papers',
      'policy.set',
      {
        ...{ policy: list, purposes: ['research'], minCohort: 5, leaveSiteOut: 'off', legalBasis: 'none' },
        ...{ references: [{ kind: 'ethics', reference: 'vote 7' }], validUntil: '2028-01-01T00:00:00.000Z' },
      },
      'papers ethics vote 7; until the end of 2027-12-31 UTC',
    ],
    [
      'a no',
      'plan.reject',
      { planHash: digest, reason: 'ethics' },
      'rejected the plan sha256:abababababab (ethics)',
    ],
    ['a later no', 'plan.withdraw', { planHash: digest, reason: 'consent' }, 'took the approval of plan'],
    ['a run on patients', 'run.start', { planHash: digest, sites: [1], public: false }, 'with 1 sites (1).'],
    [
      'a run on open data',
      'run.start',
      { planHash: digest, sites: [1], public: true },
      'on public or simulated data',
    ],
    [
      'a charge',
      'round.contribution',
      { maskedInput: { length: 9 }, role: 'contributor', charge: { before: '0', after: '0.5' } },
      'privacy 0 → 0.5',
    ],
    [
      'an upload without a charge',
      'round.contribution',
      { maskedInput: { length: 9 }, role: 'silent', charge: null },
      'as silent.',
    ],
    [
      'a Reopen',
      'round.reopen',
      { signatures: [1, 2], burnt: 1, contributors: [1, 2, 3], proof: null },
      '2 administrators reopen',
    ],
    [
      'a dealer',
      'round.reopen',
      { signatures: [1], burnt: 1, contributors: [1], proof: 'x' },
      'without a proven dealer',
    ],
    [
      'uploads of an old run',
      'retention.delete',
      { vectors: 5, bytes: 9, rule: 'next-run' },
      'the next run began',
    ],
    [
      'uploads of an old round',
      'retention.delete',
      { vectors: 5, bytes: 9, rule: 'later-close' },
      'a later round has closed',
    ],
    [
      'a run that failed',
      'run.finish',
      { status: 'FAILED', reason: 'E_FAULT', rounds: 2, finalModel: null },
      'FAILED (E_FAULT) after 2 rounds; final model none',
    ],
    [
      'a run that ended',
      'run.finish',
      { status: 'COMPLETED', reason: null, rounds: 2, finalModel: digest },
      'COMPLETED after 2 rounds; final model sha256:ab',
    ],
    [
      'a model that leaves unapproved',
      'model.release',
      { model: digest, file: { digest }, privacy: NOT_PROTECTED, tests: [], approvals: [] },
      'approved by the stewards of no site',
    ],
    [
      'a first checkpoint',
      'witness.refusal',
      { ...refused, held: null, shown: null },
      'broke a rule; it stays at no checkpoint',
    ],
    [
      'a later checkpoint',
      'witness.refusal',
      { ...refused, held: list, shown: { size: 8, root: digest } },
      'the 8 entries that were shown for it give sha256:abababababab, which it does not state; it stays at the one of',
    ],
    [
      'a forked log',
      'fork.evidence',
      { about: 'notes', first: list, second: list },
      'two checkpoints that the log key signed',
    ],
    [
      'two words',
      'fork.evidence',
      { about: 'entries', first: list, second: list },
      'two entries that one actor signed',
    ],
    [
      'a report',
      'report.issued',
      { report: digest, checkpoint: { size: 8 }, verifier: 'regulon-1' },
      'over the log of 8 entries',
    ],
    [
      'a date',
      'anchor',
      { checkpoint: { size: 8 }, form: 'rfc3161', token: list },
      'of size 8 dated outside the federation',
    ],
  ])('%s', (_, kind, body, text) => {
    const words = said(kind, body);
    expect(words).toContain(text);
    expect(words).toMatch(/^site site-1 /);
  });
});
