import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { keepStatements } from '@regulon/shared/sqlite';
import type { Checkpoint } from '@regulon/shared/transparency';
import { guarded } from '../state/index.js';

/**
 * The last state of the log that the daemon of a state folder has verified; beside a daemon that runs, without its lock.
 *
 * @param origin of the log
 * @returns undefined before the first; the root is 32 bytes
 * @throws E_STATE_DB
 */
export function followedHead(
  stateFolder: string,
  origin: string,
): Pick<Checkpoint, 'size' | 'root'> | undefined {
  const path = join(stateFolder, 'daemon.sqlite');
  if (!existsSync(path)) return undefined;
  return guarded(`state database ${path}`, () => {
    const db = keepStatements(new Database(path, { readonly: true }));
    try {
      const row = db.prepare('SELECT size, root FROM witness WHERE origin = ?').get(origin) as
        { size: number; root: Buffer } | undefined;
      return row && { size: row.size, root: Uint8Array.from(row.root) };
    } finally {
      db.close();
    }
  });
}
