import { describe, expect, it } from '@jest/globals';
import { canonicalJsonBytes, sha256, utf8 } from '../../crypto/index.js';
import { SampleLog, type SampleOptions, sampleRun } from '../../transparency-samples/index.js';
import {
  assembleEntry,
  attachmentOf,
  encodeRoundEvidence,
  parseRoundEvidence,
  digestText,
  MediaType,
  parseEntry,
  signPayload,
  type VerifyReport,
  writeBundle,
} from '../index.js';
import { verifyBundle } from './verify-bundle.js';

type Body = Record<string, unknown>;
type Spoil = NonNullable<SampleOptions['spoil']>;
const asOf = new Date(Date.UTC(2026, 10, 21));
const other = digestText(sha256(utf8('other')));
const json = (value: unknown): Uint8Array => utf8(JSON.stringify(value));

const verify = (log: SampleLog): VerifyReport =>
  verifyBundle({ bundle: log.bundle(), policy: log.policy, asOf });
const noteOf = (report: VerifyReport, id: string): string =>
  report.rules.find((rule) => rule.id === id)?.note ?? '';
/** Changes the body of the nth entry of a kind. */
const at =
  (kind: string, nth: number, change: (body: Body) => object): Spoil =>
  (of, body, seen) =>
    of === kind && seen === nth ? { ...body, ...change(body) } : body;
const spoilt = (spoil: Spoil, more: SampleOptions = {}): VerifyReport =>
  verify(sampleRun({ ...more, spoil }));

describe('a run that is stated otherwise than it was', () => {
  // the sample has a statistics round, an aborted attempt and two training rounds: its third round.open is of training
  it.each<[string, string, Spoil]>([
    [
      'S2',
      'the manifest names another previous transcript than the entry',
      at('round.open', 2, () => ({ previousTranscript: other })),
    ],
    [
      'S2',
      'the manifest names another roster than the entry',
      at('round.open', 2, () => ({ rosterHash: other })),
    ],
    [
      'S2',
      'the manifest has other deadlines than the entry',
      at('round.open', 2, ({ deadlines }) => ({ deadlines: [...(deadlines as string[])].reverse() })),
    ],
    [
      'S2',
      'the manifest is of another plan',
      (kind, body) => (/^plan|^run.start/.test(kind) ? { ...body, planHash: other } : body),
    ],
    [
      'S2',
      'the manifest has another weight cap than the plan',
      at('plan.propose', 0, (b) => ({
        secureAggregation: { ...(b['secureAggregation'] as object), weightCap: 512 },
      })),
    ],
    [
      'S2',
      'the manifest has other sub-cohorts than the plan',
      at('plan.propose', 0, (b) => ({
        secureAggregation: { ...(b['secureAggregation'] as object), subCohort: 9 },
      })),
    ],
    [
      'S2',
      'the manifest has another context than the entry',
      at('round.open', 2, () => ({ context: other })),
    ],
    [
      'S2',
      'the manifest has another N than the plan',
      at('plan.propose', 0, () => ({ sites: [1, 2, 3, 4] })),
    ],
    [
      'S2',
      'the abort does not recompute',
      at('round.abort', 0, () => ({ lastHash: null, abortSignature: null, transcript: null })),
    ],
    ['A2', 'names other sites than its plan', at('run.start', 0, () => ({ sites: [1, 2, 3, 4, 9] }))],
  ])('breaks row %s: %s', (row, note, spoil) => {
    expect(noteOf(spoilt(spoil), row)).toContain(note);
  });

  it('breaks row S2 with the manifest of another round', () => {
    let first: Body = {};
    const spoil: Spoil = (kind, body, seen) => {
      if (kind !== 'round.open' || seen === 1) return body;
      if (seen === 0) first = body;
      const { manifest, manifestSignature, context } = first;
      return { ...body, manifest, manifestSignature, context };
    };
    expect(noteOf(spoilt(spoil), 'S2')).toContain('the manifest is of another round');
  });

  it('breaks rows S1 and S2 with a manifest or evidence that cannot be read', () => {
    const bytes = utf8('nonsense');
    const manifest = attachmentOf(bytes, MediaType.manifest);
    const opened = sampleRun({ spoil: at('round.open', 0, () => ({ manifest })) });
    opened.attach(bytes, MediaType.manifest);
    expect(verify(opened).rules.find(({ id }) => id === 'S2')?.status).toBe('fail');
    const evidence = attachmentOf(bytes, MediaType.roundEvidence);
    const closed = sampleRun({ spoil: at('round.aggregate', 0, () => ({ evidence })) });
    closed.attach(bytes, MediaType.roundEvidence);
    expect(verify(closed).rules.find(({ id }) => id === 'S2')?.status).toBe('fail');
  });

  it('breaks row S2 with groups that the manifest does not have', () => {
    const group = { sites: [1, 2, 3], h1: other, h2: other, h3: other, aggregateRoot: other };
    const report = spoilt(at('round.aggregate', 0, () => ({ groups: [group, group] })));
    expect(noteOf(report, 'S2')).toContain('has groups without sub-cohorts');
  });

  it('breaks row S2 with a second sum of a round', () => {
    const log = sampleRun();
    const closes = log.entries.map(parseEntry).filter(({ kind }) => kind === 'round.aggregate');
    const [first] = closes;
    if (first?.kind !== 'round.aggregate') throw new Error('the sample closes rounds');
    const { run, round, attempt, body } = first;
    log.write(['coordinator', 'coordinator'], 'round.aggregate', { run, round, attempt }, body);
    expect(noteOf(verify(log), 'S2')).toContain(`round ${round} has a second sum`);
  });

  it('breaks row A2 where a site contributed before the run started', () => {
    const log = sampleRun();
    const start = log.entries.findIndex((bytes) => parseEntry(bytes).kind === 'run.start');
    const first = log.entries.findIndex((bytes) => parseEntry(bytes).kind === 'round.contribution');
    const [moved] = log.entries.splice(start, 1);
    if (moved) log.entries.splice(first + 1, 0, moved);
    expect(noteOf(verify(log), 'A2')).toContain('contributed before the run started');
  });

  it('breaks row S1 with four sites that neither differential privacy nor public data protect', () => {
    const of = (publicData: boolean): string => noteOf(verify(sampleRun({ sites: 4, publicData })), 'S1');
    expect(of(false)).toContain('4 sites need differential privacy or public data');
    expect(of(true)).not.toContain('need differential privacy');
  });
});

describe('evidence of sites that nobody knows', () => {
  /** The last round, its evidence changed. */
  function evidenced(change: (evidence: ReturnType<typeof parseRoundEvidence>) => object): VerifyReport {
    const honest = sampleRun();
    const closes = honest.entries.map(parseEntry).flatMap((e) => (e.kind === 'round.aggregate' ? [e] : []));
    const last = closes.at(-1);
    const evidence = parseRoundEvidence(honest.attachments.get(last?.body.evidence.digest ?? '') ?? utf8(''));
    const bytes = encodeRoundEvidence({ ...evidence, ...change(evidence) });
    const attachment = attachmentOf(bytes, MediaType.roundEvidence);
    const log = sampleRun({
      spoil: at('round.aggregate', closes.length - 1, () => ({ evidence: attachment })),
    });
    log.attach(bytes, MediaType.roundEvidence);
    return verify(log);
  }

  it('passes as it was', () => {
    expect(evidenced(() => ({})).status).toBe('pass');
  });

  it('names a masked input, and an answer, by the number', () => {
    const commits = evidenced(({ commits: [first, ...rest] }) => ({
      commits: [...rest, { ...first, id: 99 }],
    }));
    expect(noteOf(commits, 'S2')).toContain('σ2 of site 99 does not verify');
    const responders = evidenced(({ responders }) => ({ responders: [...responders, 99] }));
    expect(noteOf(responders, 'S2')).toContain('site 99 answered round 2 without logging it');
    const answers = evidenced(({ answers: [first, ...rest] }) => ({
      answers: [...rest, { ...first, id: 99 }],
    }));
    expect(noteOf(answers, 'S2')).toContain('σ4 of site 99 does not verify');
  });

  it('finds an answer that somebody logged in the name of nobody', () => {
    const log = sampleRun();
    const index = log.entries.findIndex((bytes) => parseEntry(bytes).kind === 'round.unmask');
    const entry = parseEntry(log.entries[index] ?? utf8(''));
    log.entries[index] = canonicalJsonBytes({ ...entry, actor: { ...entry.actor, id: 'site-9' } });
    expect(verify(log).firstLine).toMatch(new RegExp(`^FAIL {2}entry ${index} .* L3: `));
  });
});

describe('a list that an entry attaches', () => {
  const invited = (bytes: Uint8Array, isThere = true): VerifyReport => {
    const log = sampleRun({
      spoil: at('round.open', 2, () => ({ invited: attachmentOf(bytes, MediaType.json) })),
    });
    if (isThere) log.attach(bytes, MediaType.json);
    return verify(log);
  };

  it('is read as if it stood in the entry', () => {
    expect(invited(json([1, 2, 3, 4, 5])).status).toBe('pass');
    expect(noteOf(invited(json([1, 2, 3, 4])), 'S2')).toContain('invites other sites than the entry');
  });

  it('is empty where it is not there or no list', () => {
    expect(noteOf(invited(json([1, 2, 3, 4, 5]), false), 'L5')).toContain('is missing');
    for (const text of ['[', '{}', '["1"]'])
      expect(noteOf(invited(utf8(text)), 'S2')).toContain('invites other sites than the entry');
  });
});

describe('entry 0 that its signers agree on', () => {
  /** A log of entry 0 alone, changed and signed by everybody. */
  function refounded(change: (body: Body) => object): VerifyReport {
    const log = new SampleLog();
    const { federation } = log;
    const { sigs: _sigs, ...genesis } = parseEntry(federation.genesisEntry);
    const body = { ...genesis.body, ...change(structuredClone(genesis.body)) };
    const payload = canonicalJsonBytes({ ...genesis, body });
    const signers = federation.roster.members.map(({ name }) => federation.signer('site', name));
    log.entries[0] = assembleEntry(
      payload,
      [federation.signer('coordinator', 'coordinator'), ...signers].map((s) => signPayload(payload, s)),
    );
    return verify(log);
  }
  const first = (body: Body, change: object): object => {
    const [member, ...members] = body['members'] as object[];
    return { members: [{ ...member, ...change }, ...members] };
  };

  it('holds as it was', () => {
    expect(refounded(() => ({})).status).toBe('pass');
  });

  it.each<[string, (body: Body) => object, string]>([
    ['another roster', () => ({ rosterHash: other }), 'other members or keys than the signed roster'],
    ['a member of another id', (b) => first(b, { id: 77 }), 'other members or keys than the signed roster'],
    ['another quorum rule', () => ({ quorumRule: 'majority' }), 'another quorum rule than the signed roster'],
  ])('is compared with the signed roster: %s', (_, change, note) => {
    expect(noteOf(refounded(change), 'L3')).toContain(note);
  });
});

describe('entries that do not belong into the log', () => {
  it('are another genesis and entries of another federation', () => {
    const log = new SampleLog();
    const { federation } = log;
    const { sigs: _sigs, seq: _seq, prev: _prev, ...genesis } = parseEntry(federation.genesisEntry);
    const signer = federation.signer('coordinator', 'coordinator');
    const sealed = (fields: object): Uint8Array => {
      const payload = canonicalJsonBytes({ ...genesis, seq: 1, prev: other, ...fields });
      return assembleEntry(payload, [signPayload(payload, signer)]);
    };
    log.add(sealed({}));
    const start = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
    log.add(sealed({ kind: 'config.start', fed: 'fed_other', body: start }));
    const note = noteOf(verify(log), 'L3');
    expect(note).toContain('a second federation.genesis');
    expect(note).toContain('the entry belongs to another federation');
  });
});

describe('the files of a bundle', () => {
  const log = sampleRun();
  const withFile = (path: string, bytes: Uint8Array): VerifyReport =>
    verifyBundle({ bundle: writeBundle(new Map([...log.files(), [path, bytes]])), policy: log.policy, asOf });
  const tile = [...log.files()].find(([path]) => path.startsWith('tile/0/'));
  if (tile === undefined) throw new Error('the sample has hash tiles');
  const [path, hashes] = tile;

  it('hold no more hashes than the log has entries', () => {
    const longer = Buffer.concat([hashes, new Uint8Array(32)]);
    expect(noteOf(withFile(path, longer), 'L1')).toContain('contradicts the entry');
  });
});
