import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { utf8 } from '@regulon/shared/crypto';
import {
  attachmentOf,
  attachmentsOf,
  type BodyOf,
  digestText,
  formatVkey,
  headOf,
  KeyType,
  MediaType,
  type NamedSeed,
  nextPosition,
  parseEntry,
  readBundle,
  sealEntry,
  signCheckpoint,
  verifyCheckpoint,
  verifyConsistency,
  verifierKeyOf,
  verifyInclusion,
} from '@regulon/shared/transparency';
import { sample, SampleFederation } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { RegulonError } from '@regulon/shared/errors';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';
import { TileFolder } from './tile-folder.js';

const run = `run_${'0'.repeat(32)}`;
const zero = `sha256:${'0'.repeat(64)}`;

describe('sequencer', () => {
  let folder: string;
  let db: Database;
  let federation: SampleFederation;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-audit-'));
    federation = new SampleFederation();
    db = connect();
    auditMigrations.forEach((sql) => db.exec(sql));
  });
  afterEach(() => {
    db.close();
    rmSync(folder, { recursive: true });
  });

  function connect(): Database {
    const connection = keepStatements(new BetterSqlite(join(folder, 'state.db')));
    connection.pragma('journal_mode = WAL');
    connection.pragma('synchronous = FULL');
    return connection;
  }

  function open(): Promise<Sequencer> {
    const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
    return Sequencer.open({
      ...{ db, folder: join(folder, 'log'), logSeed, statementSeed, now: clock },
      genesis: { entry: genesisEntry, attachments: genesis.attachments },
    });
  }

  const appendPolicy = async (log: Sequencer, site: string): Promise<number> => {
    const { entry, attachment } = federation.policy(site);
    return (await log.append(entry, [attachment])).index;
  };

  const start = (log: Sequencer): ReturnType<Sequencer['appendOwn']> =>
    log.appendOwn({
      kind: 'config.start',
      body: { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null },
    });

  it('gives indexes in order, the same index for the same bytes, and proofs for what it published', async () => {
    const log = await open();
    expect(log.size).toBe(1);
    const first = federation.policy('site-1');
    expect((await log.append(first.entry, [first.attachment])).index).toBe(1);
    expect((await log.append(first.entry)).index).toBe(1);
    const early = await log.checkpoint();
    expect(await appendPolicy(log, 'site-2')).toBe(2);
    expect(() => log.inclusion(2, 3)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
    const late = await log.checkpoint();
    expect(verifyCheckpoint(late.note, log.keys.logKey)).toEqual({
      origin: federation.genesis.origin,
      size: 3,
      root: late.root,
    });
    const { entryHash, proof } = log.inclusion(2);
    verifyInclusion({ entryHash, index: 2, size: 3, root: late.root, proof });
    const consistency = log.consistency(early.size);
    verifyConsistency({
      oldSize: 2,
      newSize: 3,
      oldRoot: early.root,
      newRoot: late.root,
      proof: consistency,
    });
    expect(await log.checkpoint()).toEqual(late);
    expect(() => log.entry(3)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });

  it('fills chain and size of round.open and signs as coordinator', async () => {
    const log = await open();
    const manifest = await log.putAttachment(new Uint8Array(3), 'application/vnd.regulon.manifest;v=1');
    const at = '2026-11-20T10:00:00.000Z';
    const { index, bytes } = log.appendOwn({
      ...{ kind: 'round.open', run, round: 0, attempt: 0 },
      body: {
        ...{
          purpose: 'train' as const,
          stepId: 'train',
          arm: 0,
          manifest,
          manifestSignature: `${'A'.repeat(86)}==`,
        },
        ...{ context: zero, modelIn: zero, invited: [1, 2, 3], rosterHash: zero, previousTranscript: zero },
        deadlines: [at, at, at, at, at],
      },
    });
    const entry = parseEntry(bytes);
    expect(entry).toMatchObject({ seq: 1, actor: { type: 'coordinator' }, body: { size: 1 } });
    expect(log.indexesOf(run, 'round.open')).toEqual([index]);
  });

  it("commits the coordinator's entries with the caller's transaction, or not at all", async () => {
    const log = await open();
    const attempt = db.transaction(() => {
      start(log);
      throw new Error('the round state could not be stored');
    });
    expect(attempt).toThrow('round state');
    expect(log.size).toBe(1);
    db.transaction(() => start(log))();
    expect(log.size).toBe(2);
    expect((await log.checkpoint()).size).toBe(2);
  });

  it('waits for an open transaction instead of joining it', async () => {
    const log = await open();
    const policy = federation.policy('site-1');
    await log.putAttachment(policy.attachment, 'application/json');
    db.exec('BEGIN');
    const appended = log.append(policy.entry);
    await new Promise((resolve) => setImmediate(resolve));
    expect(log.size).toBe(1);
    db.exec('ROLLBACK');
    expect((await appended).index).toBe(1);
  });

  it('refuses what breaks a rule, and says which', async () => {
    const log = await open();
    const { entry, attachment } = federation.policy('site-1');
    const flipped = Uint8Array.from(entry);
    flipped[flipped.length - 10] = 65;
    await expect(log.append(entry)).rejects.toMatchObject({ code: 'E_LOG_ENTRY', retryable: true });
    await expect(log.append(flipped, [attachment])).rejects.toMatchObject({ code: 'E_LOG_ENTRY' });
    const later = federation.policy('site-1');
    await expect(log.append(later.entry, [later.attachment])).rejects.toMatchObject({
      ...{ code: 'E_LOG_ENTRY', retryable: true },
      details: { rule: 'L3', expected: 0 },
    });
    await log.append(entry);
    expect((await log.append(later.entry)).index).toBe(2);
    await expect(log.append(federation.genesisEntry.slice(1))).rejects.toMatchObject({
      details: { rule: 'L1' },
    });
    expect((await log.append(federation.genesisEntry)).index).toBe(0);
  });

  it('takes no text that looks like a person', async () => {
    const log = await open();
    const reason = 'patient-1234567';
    const withdrawal = { dataset: 'tumours', scope: 'all', reason } as const;
    const entry = federation.entry(['steward', 'site-1'], 'dataset.withdraw', {}, withdrawal);
    const refused = { code: 'E_LOG_ENTRY', retryable: false, details: { rule: 'D1' } };
    const refusal: unknown = await log.append(entry).catch((error: unknown) => error);
    expect(refusal).toMatchObject(refused);
    expect(String(refusal)).toMatch(/dataset\.withdraw: reason holds a long number/);
    expect(String(refusal)).not.toContain('1234567');
    expect(log.size).toBe(1);
  });

  it('takes no policy that names another than the one in force as the one before it', async () => {
    const log = await open();
    const { body, attachment } = federation.policyBody('site-1');
    const policy = (supersedes: string | null): Uint8Array =>
      federation.entry(['steward', 'site-1'], 'policy.set', {}, { ...body, supersedes });
    await log.append(policy(null), [attachment]);
    expect((await log.append(policy(body.policy.digest))).index).toBe(2);
    await expect(log.append(policy(zero))).rejects.toMatchObject({
      ...{ code: 'E_LOG_ENTRY', retryable: false, details: { rule: 'A2' } },
    });
  });

  it('takes no proposal whose provenance is of other code, or whose plan has another size than it says', async () => {
    const log = await open();
    const plan = utf8('{}');
    const proposed = (subject: string, size = plan.length): Uint8Array =>
      new SampleFederation().entry(
        ['researcher', 'r1'],
        'plan.propose',
        {},
        {
          ...{ name: 'p', plan: { ...attachmentOf(plan, MediaType.json), size }, planHash: zero },
          ...{
            purpose: 'research',
            code: sample.code,
            architecture: zero,
            initialModel: null,
            privacy: null,
          },
          provenance: { builder: 'https://builder.example/one', subject, statement: zero },
          secureAggregation: {
            ...{ gamma: { num: 1, den: 3 }, nMin: 5 },
            ...{ quantization: 1024, weightCap: 1024, fractionBits: 24 },
          },
          ...{ sites: [1, 2, 3, 4, 5], rounds: 1, requireAll: false },
        },
      );
    const refused = (rule: string) => ({ code: 'E_LOG_ENTRY', retryable: false, details: { rule } });
    await expect(log.append(proposed(zero), [plan])).rejects.toMatchObject(refused('A3'));
    const lying = log.append(proposed(sample.code, 5), [plan]);
    await expect(lying).rejects.toMatchObject(refused('L1'));
    await expect(lying).rejects.toThrow('plan.propose says that an attachment of 2 bytes has 5');
    expect(log.size).toBe(1);
    expect((await log.append(proposed(sample.code), [plan])).index).toBe(1);
  });

  it('keeps both entries when an actor signs two with one number', async () => {
    const log = await open();
    const other = new SampleFederation(5, SampleFederation.ticking(Date.UTC(2026, 10, 20, 10)));
    await appendPolicy(log, 'site-1');
    const signer = federation.signer('steward', 'site-1');
    const { body } = parseEntry(other.policy('site-2').entry);
    const twin = sealEntry(
      {
        kind: 'policy.set',
        fed: 'fed_sample',
        actor: { type: 'steward', id: 'site-1' },
        body,
        ...nextPosition(undefined, other.clock()),
      } as never,
      [signer],
    );
    await log.putAttachment(other.policy('site-2').attachment, 'application/json');
    await expect(log.append(twin)).rejects.toMatchObject({
      code: 'E_LOG_EQUIVOCATION',
      details: { index: 1, seq: 0 },
    });
    expect(db.prepare('SELECT count(*) FROM log_equivocations').pluck().get()).toBe(1);
    await expect(log.append(twin)).rejects.toMatchObject({ code: 'E_LOG_EQUIVOCATION' });
    expect(log.size).toBe(3);
    const evidence = parseEntry(log.entry(2));
    expect(evidence).toMatchObject({
      kind: 'fork.evidence',
      actor: { type: 'coordinator' },
      body: { about: 'entries' },
    });
    const kept = attachmentsOf(evidence).map(({ digest }) => log.attachment(digest));
    expect((await Promise.all(kept)).map((bytes) => Buffer.from(bytes))).toEqual(
      [log.entry(1), twin].map((bytes) => Buffer.from(bytes)),
    );
  });

  it('takes no evidence that proves nothing, and no report on another log', async () => {
    const log = await open();
    await appendPolicy(log, 'site-1');
    const { note, root } = await log.checkpoint();
    const text = await log.putAttachment(Buffer.from(note), 'text/plain');
    const refused = { code: 'E_LOG_ENTRY', details: { rule: 'L3' } };
    const evidence = { about: 'notes', first: text, second: text } as const;
    const accuse = (): Uint8Array => federation.entry(['site', 'site-2'], 'fork.evidence', {}, evidence);
    await expect(log.append(accuse())).rejects.toMatchObject(refused);
    const other = signCheckpoint(
      { origin: federation.genesis.origin, size: 2, root: new Uint8Array(32) },
      { keyName: federation.genesis.origin, seed: new Uint8Array(32) },
    );
    const offered = await log.putAttachment(Buffer.from(other), 'text/plain');
    const refusal = { code: 'E_FORK', held: text, offered, shown: null };
    const refuse = federation.entry(['site', 'site-3'], 'witness.refusal', {}, refusal);
    await expect(log.append(refuse)).rejects.toMatchObject(refused);
    const report = (size: number) => () =>
      log.appendOwn({
        kind: 'report.issued',
        body: { report: zero, checkpoint: { size, root: digestText(root) }, verifier: 'regulon-0.1.0' },
      });
    expect(report(1)).toThrow(expect.objectContaining({ code: 'E_LOG_ENTRY' }));
    expect(report(2)()).toMatchObject({ index: 2 });
  });

  it('signs beside a steward who grants a role, once, and keeps to the role after a restart', async () => {
    const log = await open();
    const signer = federation.signer('researcher', 'r2');
    const key = formatVkey(verifierKeyOf(signer, KeyType.statement));
    const body = {
      role: 'researcher',
      subject: 'r2',
      key,
      issuer: 'site-1',
      validUntil: '2027-01-01T00:00:00.000Z',
    };
    const grant = federation.entry(['steward', 'site-1'], 'role.grant', {}, body as never);
    expect(await log.append(grant)).toMatchObject({ index: 1, isNew: true });
    expect(parseEntry(log.entry(1)).sigs.map((sig) => sig.key)).toEqual([
      ...[expect.stringContaining('/coordinator+'), expect.stringContaining('/steward/site-1+')],
    ]);
    expect(await log.append(grant)).toMatchObject({ index: 1, isNew: false });
    const evidence = { about: 'notes', first: 0, second: 0 };
    const note = await log.putAttachment(Buffer.from((await log.checkpoint()).note), 'text/plain');
    const accuse = (id: string): Uint8Array =>
      federation.entry(['researcher', id], 'fork.evidence', {}, {
        ...evidence,
        first: note,
        second: note,
      } as never);
    const again = await open();
    await expect(again.append(accuse('r3'))).rejects.toThrow('not one of the federation');
    await expect(again.append(accuse('r2'))).rejects.toThrow('proves no fork');
    await expect(
      again.append(federation.entry(['steward', 'site-2'], 'role.grant', {}, body as never)),
    ).resolves.toMatchObject({ index: 2 });
  });

  it('keeps evidence of a steward who signs two roles under one number, none of one entry with two sets of signatures', async () => {
    const log = await open();
    const bodyOf = (subject: string): BodyOf<'role.grant'> => ({
      ...({ role: 'researcher', subject, issuer: 'site-1', validUntil: '2027-01-01T00:00:00.000Z' } as const),
      key: formatVkey(verifierKeyOf(federation.signer('researcher', subject), KeyType.statement)),
    });
    const grant = (subject: string): Uint8Array =>
      new SampleFederation(5).entry(['steward', 'site-1'], 'role.grant', {}, bodyOf(subject));
    await log.append(grant('r2'));
    await expect(log.append(grant('r3'))).rejects.toMatchObject({ code: 'E_LOG_EQUIVOCATION' });
    expect(parseEntry(log.entry(2))).toMatchObject({ kind: 'fork.evidence', body: { about: 'entries' } });
    const { body, attachment } = federation.policyBody('site-2');
    const policy = (others: NamedSeed[] = []): Uint8Array =>
      new SampleFederation(5).entry(['steward', 'site-2'], 'policy.set', {}, body, others);
    await log.append(policy(), [attachment]);
    const again = policy([federation.signer('site', 'site-3')]);
    await expect(log.append(again)).rejects.toMatchObject({ code: 'E_LOG_ENTRY', details: { rule: 'L3' } });
    expect(log.size).toBe(4);
  });

  it('takes nothing under a role that ended, however it is dated', async () => {
    const log = await open();
    const signer = federation.signer('auditor', 'a1');
    const end = new Date(federation.clock().getTime() + 5000).toISOString();
    const key = formatVkey(verifierKeyOf(signer, KeyType.statement));
    const body: BodyOf<'role.grant'> = {
      role: 'auditor',
      subject: 'a1',
      key,
      issuer: 'site-1',
      validUntil: end,
    };
    await log.append(federation.entry(['steward', 'site-1'], 'role.grant', {}, body));
    const { root } = await log.checkpoint();
    const says = { report: zero, checkpoint: { size: 2, root: digestText(root) }, verifier: 'regulon-0.1.0' };
    const report = federation.entry(['auditor', 'a1'], 'report.issued', {}, says);
    expect(parseEntry(report).at < end).toBe(true);
    for (let i = 0; i < 320; i++) federation.clock();
    await expect(log.append(report)).rejects.toMatchObject({ code: 'E_LOG_ENTRY', details: { rule: 'L3' } });
  });

  it('refuses entries from the future until it has come', async () => {
    const log = await open();
    const ahead = new SampleFederation(5, SampleFederation.ticking(Date.UTC(2027, 0, 1)));
    const { entry, attachment } = ahead.policy('site-1');
    await expect(log.append(entry, [attachment])).rejects.toMatchObject({
      retryable: true,
      details: { rule: 'L4' },
    });
  });

  it('comes back with the same log, and notices what was changed behind its back', async () => {
    const log = await open();
    for (let i = 1; i <= 5; i++) await appendPolicy(log, `site-${i}`);
    const { note } = await log.checkpoint();
    start(log);
    const again = await open();
    expect(again.latest().note).toBe(note);
    expect(again.size).toBe(7);
    expect(() => start(log)).toThrow(expect.objectContaining({ code: 'E_STATE_LOCKED' }));
    const tile = join(folder, 'log/tile/0/000.p/6');
    rmSync(tile);
    await open();
    expect(readFileSync(tile)).toHaveLength(6 * 32);
    writeFileSync(tile, new Uint8Array(6 * 32));
    await expect(open()).rejects.toMatchObject({ code: 'E_STATE_DB' });
    rmSync(tile);
    db.prepare('UPDATE log_entries SET bytes = ? WHERE idx = 3').run(Buffer.from('{}'));
    await expect(open()).rejects.toMatchObject({ code: 'E_STATE_DB' });
  });

  it('publishes the checkpoint that a full disk refused when the call is repeated', async () => {
    const log = await open();
    await log.checkpoint();
    await appendPolicy(log, 'site-1');
    jest
      .spyOn(TileFolder.prototype, 'publish')
      .mockRejectedValueOnce(new RegulonError('E_DISK_FULL', 'full'));
    await expect(log.checkpoint()).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect((await log.checkpoint()).size).toBe(2);
    expect(readFileSync(join(folder, 'log/checkpoint'), 'utf8')).toBe(log.latest().note);
  });

  it('refuses another genesis and other keys', async () => {
    await open();
    const genesis = new SampleFederation(6);
    const options = { db, folder, logSeed: genesis.logSeed, statementSeed: genesis.statementSeed };
    const other = { entry: genesis.genesisEntry, attachments: genesis.genesis.attachments };
    await expect(Sequencer.open({ ...options, genesis: other })).rejects.toMatchObject({ code: 'E_CONFIG' });
    await expect(
      Sequencer.open({ ...options, genesis: other, logSeed: new Uint8Array(32) }),
    ).rejects.toMatchObject({ code: 'E_CONFIG' });
  });

  it('replaces partial tiles by full ones', async () => {
    const log = await open();
    for (let i = 0; i < 300; i++) {
      start(log);
      if (i % 100 === 0) await log.checkpoint();
    }
    const { size } = await log.checkpoint();
    expect(size).toBe(301);
    expect(readdirSync(join(folder, 'log/tile/0')).sort()).toEqual(['000', '001.p']);
    expect(headOf(log.entry(300)).seq).toBe(300);
    const { files } = readBundle(await buffer(log.exportBundle()));
    expect([...files.keys()].filter((path) => path.startsWith('tile/'))).toEqual([
      ...['tile/0/000', 'tile/0/001.p/45', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/45'],
    ]);
  });
});
