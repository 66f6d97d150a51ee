import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { keepStatements } from '@regulon/shared/sqlite';
import { parseEntry } from '@regulon/shared/transparency';
import { guarded } from './database.js';
import { plain } from './run-journal.js';

/**
 * Commitments to the data that this site has trained with in a run, by its own signed entries; beside a daemon that runs,
 * without its lock and without a change.
 *
 * @param folder state folder
 * @returns digests as text, each once; empty when the site contributed nothing
 * @throws E_STATE_DB
 */
export function readTrainedCommitments(folder: string, run: string): string[] {
  const path = join(folder, 'daemon.sqlite');
  if (!existsSync(path)) return [];
  return guarded(`state database ${path}`, () => {
    const db = keepStatements(new Database(path, { readonly: true }));
    try {
      const rows = db
        .prepare("SELECT bytes FROM outbox WHERE kind = 'round.contribution' AND run = ? ORDER BY seq")
        .all(run) as { bytes: Buffer }[];
      const found = rows.flatMap(({ bytes }) => {
        const { kind, body } = parseEntry(plain(bytes));
        return kind === 'round.contribution' && body.role === 'contributor' ? [body.commitment] : [];
      });
      return [...new Set(found)];
    } finally {
      db.close();
    }
  });
}
