import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { parseEntry, verifyBundle } from '@regulon/shared/transparency';
import { type SampleLog, sampleRun } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { auditMigrations } from './migrations.js';
import type { OwnEntry } from './own-entries.js';
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
    const bundle = await sequencer.exportBundle();
    const report = verifyBundle({ bundle, policy: log.policy });
    expect(report.firstLine).toMatch(/^PASS {2}fed_sample: 68 entries; /);
    expect(Buffer.compare(await sequencer.exportBundle(), bundle)).toBe(0);
    expect(readFileSync(join(folder, 'log/checkpoint'), 'utf8')).toBe(sequencer.latest().note);
  });

  it('lets the event loop turn while it is made', async () => {
    const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
    for (let i = 0; i < 1000; i++) sequencer.appendOwn({ kind: 'config.start', body });
    await sequencer.checkpoint();
    let turns = 0;
    const count = (): void => {
      turns++;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    await sequencer.exportBundle();
    clearImmediate(next);
    // one a tile of 256 and one a page of 128 entries
    expect(turns).toBeGreaterThan(1000 / 256 + 1000 / 128);
  });

  it('stays verifiable at every checkpoint on the way', async () => {
    for (let size = 1; size < log.entries.length; size += 9) {
      const report = verifyBundle({ bundle: await sequencer.exportBundle(), policy: log.policy });
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
    await expect(sequencer.exportBundle()).rejects.toMatchObject({ code: 'E_NOT_FOUND' });
  });
});
