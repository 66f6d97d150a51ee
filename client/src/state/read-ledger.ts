import { existsSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { RegulonError } from '@regulon/shared/errors';
import { type Charge, verifyLedger } from '@regulon/shared/privacy';
import { keepStatements } from '@regulon/shared/sqlite';
import { guarded } from './database.js';
import { readHead } from './ledger-anchor.js';
import { storedCharges } from './ledger.js';

/**
 * The charges of a state folder, checked; beside a daemon that runs, without its lock and without a change.
 *
 * @throws E_NOT_FOUND without a database, E_LEDGER when it was edited, E_STATE_DB
 */
export function readLedger(folder: string): Charge[] {
  const path = join(folder, 'daemon.sqlite');
  if (!existsSync(path))
    throw new RegulonError('E_NOT_FOUND', `${folder} has no state: this site has taken part in nothing yet`);
  // the anchor first: charges that a daemon adds meanwhile only come after it
  const known = readHead(join(folder, 'anchor', 'ledger-head'));
  return guarded(`state database ${path}`, () => {
    const db = keepStatements(new Database(path, { readonly: true }));
    try {
      return verifyLedger(storedCharges(db), known).charges;
    } finally {
      db.close();
    }
  });
}
