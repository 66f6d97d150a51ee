import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import BetterSqlite, { type Database } from 'better-sqlite3';
import { auditMigrations, Sequencer } from '@regulon/coordinator/audit';
import { keepStatements } from '@regulon/shared/sqlite';
import { SampleFederation } from '@regulon/shared/transparency-samples';
import { cpuSecondsOf, secondsOf } from '../best-of.js';

/** Entries between two checkpoints, as many as a tile holds. */
const CHECKPOINT = 256;

/** A federation and signed entries of its sites, in turn. */
export function signedEntries(
  count: number,
  sites = 5,
): { federation: SampleFederation; entries: Uint8Array[] } {
  // all at one time: a log refuses what lies far ahead of it
  const at = new Date(Date.UTC(2026, 10, 20, 10));
  const federation = new SampleFederation(sites, () => at);
  const names = federation.roster.members.map(({ name }) => name);
  const body = { nonce: '0'.repeat(64), version: '0.1.0', software: null, configuration: null };
  const entries = Array.from({ length: count }, (_, k) =>
    federation.entry(['site', names[k % names.length] ?? ''], 'config.start', {}, body),
  );
  return { federation, entries };
}

/** A database as the coordinator opens it. */
function connect(path: string): Database {
  const db = keepStatements(new BetterSqlite(path));
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  return db;
}

/** What appending took. */
export interface Appending {
  /** entries a second, wall time */
  readonly rate: number;
  /** processor milliseconds an entry */
  readonly cpu: number;
  /** how long the event loop was held up at most, milliseconds */
  readonly blocked: number;
}

/**
 * Append entries to a log on disk: signatures verified, each row synced before its index is known, a checkpoint with
 * its tiles after every 256.
 *
 * @param together entries that wait for their index at the same time
 */
export async function append(folder: string, count: number, together: number): Promise<Appending> {
  const { federation, entries } = signedEntries(count);
  const db = connect(join(folder, `append-${together}.db`));
  auditMigrations.forEach((sql) => db.exec(sql));
  const { genesisEntry, genesis, logSeed, statementSeed, clock } = federation;
  const log = await Sequencer.open({
    ...{ db, folder: join(folder, `log-${together}`), logSeed, statementSeed, now: clock },
    genesis: { entry: genesisEntry, attachments: genesis.attachments },
  });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let seconds = 0;
  const cpu = await cpuSecondsOf(async () => {
    seconds = await secondsOf(async () => {
      for (let at = 0; at < count; at += together) {
        await Promise.all(entries.slice(at, at + together).map((entry) => log.append(entry)));
        if ((at + together) % CHECKPOINT === 0) await log.checkpoint();
      }
    });
  });
  delay.disable();
  db.close();
  return { rate: count / seconds, cpu: (1000 * cpu) / count, blocked: delay.max / 1e6 };
}

/**
 * Rows of the size of an entry into an empty table: what the disk allows.
 *
 * @param together rows in one synced transaction
 * @returns rows a second
 */
export async function syncedInserts(folder: string, count: number, together: number): Promise<number> {
  const db = connect(join(folder, `plain-${together}.db`));
  db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, bytes BLOB)');
  const insert = db.prepare('INSERT INTO rows (bytes) VALUES (?)');
  const bytes = Buffer.alloc(800);
  const batch = db.transaction(() => {
    for (let k = 0; k < together; k++) insert.run(bytes);
  });
  const seconds = await secondsOf(() => {
    for (let k = 0; k < count; k += together) batch();
  });
  db.close();
  return count / seconds;
}
