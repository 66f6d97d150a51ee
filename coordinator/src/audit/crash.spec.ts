import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import BetterSqlite from 'better-sqlite3';
import { hex } from '@regulon/shared/crypto';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { keepStatements } from '@regulon/shared/sqlite';
import { auditMigrations } from './migrations.js';
import { Sequencer } from './sequencer.js';

const federation = new SampleFederation();
const policies = federation.roster.members.map(({ name }) => federation.policy(name));

async function openIn(folder: string): Promise<{ log: Sequencer; close: () => void }> {
  const db = keepStatements(new BetterSqlite(join(folder, 'state.db')));
  db.pragma('journal_mode = WAL');
  if (db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'log_head'").get() === undefined) {
    auditMigrations.forEach((sql) => db.exec(sql));
  }
  const { genesisEntry, genesis, logSeed, statementSeed } = federation;
  const log = await Sequencer.open({
    ...{
      db,
      folder: join(folder, 'log'),
      logSeed,
      statementSeed,
      now: () => new Date(Date.UTC(2026, 11, 1)),
    },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
  return { log, close: () => db.close() };
}

async function appendAll(log: Sequencer): Promise<string> {
  for (const { entry, attachment } of policies) {
    await log.append(entry, [attachment]);
    await log.checkpoint();
  }
  return hex(log.latest().root);
}

/** A copy of all files as they are now. @returns false when one was renamed meanwhile */
function photograph(live: string, copy: string): boolean {
  try {
    cpSync(live, copy, { recursive: true });
    return true;
  } catch {
    rmSync(copy, { recursive: true, force: true });
    return false;
  }
}

describe('a coordinator killed at any point', () => {
  let base: string;
  beforeAll(() => {
    base = mkdtempSync(join(tmpdir(), 'regulon-crash-'));
  });
  afterAll(() => rmSync(base, { recursive: true }));

  it('comes back, takes the same entries again, and ends at the same root', async () => {
    const live = join(base, 'live');
    const snapshots: string[] = [];
    cpSync(mkdtempSync(join(base, 'empty-')), live, { recursive: true });
    const { log, close } = await openIn(live);
    let running = true;
    const photographer = (async (): Promise<void> => {
      while (running) {
        const copy = join(base, `snapshot-${snapshots.length}`);
        if (photograph(live, copy)) snapshots.push(copy);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const root = await appendAll(log);
    running = false;
    await photographer;
    close();
    expect(snapshots.length).toBeGreaterThan(5);
    const step = Math.ceil(snapshots.length / 12);
    for (const snapshot of snapshots.filter((_, i) => i % step === 0)) {
      const survivor = await openIn(snapshot);
      expect(await appendAll(survivor.log)).toBe(root);
      expect(survivor.log.size).toBe(1 + policies.length);
      survivor.close();
    }
  });
});
