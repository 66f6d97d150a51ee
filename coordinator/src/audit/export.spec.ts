import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import BetterSqlite from 'better-sqlite3';
import { sha256, utf8 } from '@regulon/shared/crypto';
import {
  checkpointBody,
  digestText,
  parseEntry,
  readBundle,
  verifyBundle,
} from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { AttachmentFolder } from './attachments.js';
import { auditMigrations } from './migrations.js';
import type { OwnEntry } from './own-entries.js';
import { PIECE_BYTES } from './pieces.js';
import { Sequencer } from './sequencer.js';

describe('a run written through the sequencer', () => {
  let folder: string;
  let log: SampleLog;
  let sequencer: Sequencer;
  let close: () => void;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'regulon-export-'));
    const db = keepStatements(new BetterSqlite(join(folder, 'state.db')));
    db.pragma('journal_mode = WAL');
    auditMigrations.forEach((sql) => db.exec(sql));
    close = (): void => void db.close();
    log = sampleRun();
    const { genesisEntry, genesis, logSeed, statementSeed, clock } = log.federation;
    sequencer = await Sequencer.open({
      ...{ db, folder: join(folder, 'log'), logSeed, statementSeed, now: clock },
      genesis: { entry: genesisEntry, attachments: genesis.attachments },
    });
    for (const bytes of log.attachments.values()) await sequencer.putAttachment(bytes, 'application/json');
  });
  afterEach(() => {
    close();
    rmSync(folder, { recursive: true });
  });

  async function write(from: number, to: number): Promise<void> {
    for (const bytes of log.entries.slice(from, to)) {
      const { kind, run, round, attempt, body, actor } = parseEntry(bytes);
      if (actor.type !== 'coordinator') await sequencer.append(bytes);
      else sequencer.appendOwn(JSON.parse(JSON.stringify({ kind, run, round, attempt, body })) as OwnEntry);
    }
  }

  it('verifies when it is exported, and exports the same bytes twice', async () => {
    await write(1, log.entries.length);
    const bundle = await buffer(sequencer.exportBundle());
    const report = verifyBundle({ bundle, policy: log.policy });
    expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 68 entries; /);
    expect(Buffer.compare(await buffer(sequencer.exportBundle()), bundle)).toBe(0);
    expect(readFileSync(join(folder, 'log/checkpoint'), 'utf8')).toBe(sequencer.latest().note);
  });

  /** Attachments of 40 kB each, named by entries of the coordinator. */
  async function anchor(count: number): Promise<void> {
    const head = await sequencer.checkpoint();
    const [size, root] = [head.size, digestText(head.root)];
    const { origin } = sequencer.keys.genesis;
    const digest = sha256(utf8(checkpointBody({ origin, size, root: head.root })));
    for (let k = 0; k < count; k++) {
      const bytes = new Uint8Array(40_000).fill(k);
      bytes.set(digest);
      const token = await sequencer.putAttachment(bytes, 'application/octet-stream');
      const body = { checkpoint: { size, root }, form: 'public-log', token } as const;
      sequencer.appendOwn({ kind: 'anchor', body });
    }
  }
  const start = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  const grow = (count: number): void => {
    for (let i = 0; i < count; i++) sequencer.appendOwn({ kind: 'config.start', body: start });
  };

  it('lets the event loop turn while it is made, and comes in pieces of 64 KiB', async () => {
    grow(1000);
    await sequencer.checkpoint();
    let turns = 0;
    const count = (): void => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const lengths: number[] = [];
    for await (const piece of sequencer.exportBundle()) lengths.push(piece.length);
    clearImmediate(next);
    expect(lengths.length).toBeGreaterThan(8);
    expect(new Set(lengths.slice(0, -1))).toEqual(new Set([PIECE_BYTES]));
    expect(lengths.at(-1)).toBeLessThanOrEqual(PIECE_BYTES);
    // one a page of 64 entries, and one a piece
    expect(turns).toBeGreaterThan(1000 / 64 + lengths.length - 2);
  });

  it('is of the log as it was when it began, whatever is appended meanwhile', async () => {
    await anchor(5);
    const bundle = sequencer.exportBundle();
    const pieces = [(await bundle.next()).value as Uint8Array];
    const { size } = sequencer.latest();
    for await (const piece of bundle) {
      pieces.push(piece);
      await anchor(3);
      grow(60);
      await sequencer.checkpoint();
    }
    expect(sequencer.latest().size).toBeGreaterThan(size + 150);
    const whole = Buffer.concat(pieces);
    const report = verifyBundle({ bundle: whole, policy: log.policy });
    expect(report.log.size).toBe(size);
    expect(report.rules.filter(({ status }) => status === 'fail')).toEqual([]);
    const isToken = (path: string): boolean => (readBundle(whole).files.get(path)?.length ?? 0) === 40_000;
    expect([...readBundle(whole).files.keys()].filter(isToken)).toHaveLength(5);
  });

  it('reads no more than is taken of it, and nothing once its reader left', async () => {
    await anchor(20);
    const get = jest.spyOn(AttachmentFolder.prototype, 'get');
    const bundle = sequencer.exportBundle();
    for (let k = 0; k < 3; k++) await bundle.next();
    const read = get.mock.calls.length;
    // the quorum policy, small attachments of the founding, and what three pieces hold
    expect(read).toBeLessThan(15);
    grow(10);
    await sequencer.checkpoint();
    expect(get.mock.calls.length).toBe(read);
    await bundle.return(undefined);
    expect(await bundle.next()).toEqual({ done: true, value: undefined });
    expect(get.mock.calls.length).toBe(read);
    get.mockRestore();
  });

  it('stays verifiable at every checkpoint on the way', async () => {
    for (let size = 1; size < log.entries.length; size += 9) {
      const report = verifyBundle({ bundle: await buffer(sequencer.exportBundle()), policy: log.policy });
      expect(report.rules.filter(({ status }) => status === 'fail')).toEqual([]);
      expect(report.log.size).toBe(size);
      await write(size, size + 9);
    }
  });

  it('notices an attachment that was changed on disk', async () => {
    await write(1, log.entries.length);
    const [digest] = log.attachments.keys();
    expect(await sequencer.attachment(digest ?? '')).toHaveLength(
      log.attachments.get(digest ?? '')?.length ?? -1,
    );
    rmSync(join(folder, 'log/attachments'), { recursive: true });
    await expect(buffer(sequencer.exportBundle())).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
