import Database from 'better-sqlite3';
import { RegulonError } from '@regulon/shared/errors';
import { keepStatements } from '@regulon/shared/sqlite';

/** Forward migrations; the number applied stands in `user_version`. */
const migrations: readonly string[] = [
  `
  CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE runs (
    run TEXT PRIMARY KEY, state TEXT NOT NULL, contract BLOB NOT NULL, rounding_secret BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE attempts (
    run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL,
    stage INTEGER NOT NULL, manifest BLOB NOT NULL, signature BLOB NOT NULL, sealed BLOB,
    facts TEXT NOT NULL, PRIMARY KEY (run, round, attempt)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE locals (
    run TEXT NOT NULL, round INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (run, round)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE outcomes (
    run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, survivors TEXT NOT NULL,
    extras TEXT NOT NULL, sums BLOB, model_hash BLOB, transcript BLOB NOT NULL, aggregate_root BLOB NOT NULL,
    PRIMARY KEY (run, round)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE answered (
    run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, purpose INTEGER NOT NULL,
    step_id TEXT NOT NULL, arm INTEGER NOT NULL, iteration INTEGER NOT NULL, model_hash TEXT NOT NULL,
    plan_hash TEXT NOT NULL, h3 BLOB NOT NULL, cohort TEXT NOT NULL, relaxed INTEGER NOT NULL,
    answer BLOB NOT NULL, PRIMARY KEY (run, round)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX answered_tuple ON answered (model_hash, plan_hash, purpose, step_id);
  CREATE TABLE ledger (
    seq INTEGER PRIMARY KEY, dataset TEXT NOT NULL, run TEXT NOT NULL, round INTEGER NOT NULL,
    attempt INTEGER NOT NULL, event TEXT NOT NULL, prev BLOB NOT NULL, hash BLOB NOT NULL,
    UNIQUE (run, round, attempt)
  ) STRICT;
  CREATE TRIGGER ledger_is_append_only BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;
  CREATE TRIGGER ledger_keeps_all BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'append-only'); END;
  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, round INTEGER, attempt INTEGER,
    bytes BLOB NOT NULL, hash BLOB NOT NULL, log_index INTEGER
  ) STRICT;
  CREATE TABLE witness (
    origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL, edge BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE seen (
    log_index INTEGER PRIMARY KEY, kind TEXT NOT NULL, run TEXT, round INTEGER, attempt INTEGER, bytes BLOB NOT NULL
  ) STRICT;
  CREATE INDEX seen_round ON seen (run, round, kind);
  `,
  // log_index is from now on what the verified log showed; claimed_index and claimed_at (ms) what the coordinator
  // answered, and when
  `
  ALTER TABLE outbox ADD COLUMN claimed_index INTEGER;
  ALTER TABLE outbox ADD COLUMN claimed_at INTEGER;
  UPDATE outbox SET claimed_index = log_index;
  UPDATE outbox SET log_index = NULL WHERE log_index >= (SELECT coalesce(max(size), 0) FROM witness);
  CREATE INDEX outbox_uncovered ON outbox (claimed_index) WHERE log_index IS NULL;
  `,
  // joined_at: ms since the epoch, by this site's clock
  `
  ALTER TABLE attempts ADD COLUMN joined_at INTEGER NOT NULL DEFAULT 0;
  UPDATE attempts SET joined_at = 1000 * unixepoch();
  `,
  // answers of burnt rounds that the administrators reopened; reopened: the answer that a Reopen allowed
  `
  ALTER TABLE answered ADD COLUMN reopened INTEGER NOT NULL DEFAULT 0;
  CREATE TABLE burnt (
    run TEXT NOT NULL, round INTEGER NOT NULL, attempt INTEGER NOT NULL, purpose INTEGER NOT NULL,
    step_id TEXT NOT NULL, arm INTEGER NOT NULL, iteration INTEGER NOT NULL, model_hash TEXT NOT NULL,
    plan_hash TEXT NOT NULL, h3 BLOB NOT NULL, cohort TEXT NOT NULL, relaxed INTEGER NOT NULL,
    answer BLOB NOT NULL, reopened INTEGER NOT NULL, PRIMARY KEY (run, round)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX burnt_tuple ON burnt (model_hash, plan_hash, purpose, step_id);
  `,
  // checkpoints that this site cosigned; time: of the cosignature, seconds since 1970; note: with a quorum of them
  `
  CREATE TABLE cosigned (
    size INTEGER PRIMARY KEY, root BLOB NOT NULL, time INTEGER NOT NULL, note TEXT
  ) STRICT;
  `,
  // units behind the sums of runs that are not public, by keyed digests; runs with the same units share a row
  `
  CREATE TABLE unit_sets (
    digest TEXT PRIMARY KEY, units BLOB NOT NULL, folds BLOB NOT NULL, held_out TEXT NOT NULL, levels BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE run_units (run TEXT PRIMARY KEY, digest TEXT NOT NULL) STRICT, WITHOUT ROWID;
  `,
  // the latest time of a cosignature is asked for at each checkpoint
  `
  CREATE INDEX cosigned_time ON cosigned (time);
  `,
  // JSON of the roots of the groups' sums that a model was derived from, hexadecimal, in their order
  `
  ALTER TABLE outcomes ADD COLUMN group_roots TEXT;
  `,
  // float64 energies of the tiles of a sum, where the plan holds those of later rounds against them
  `
  ALTER TABLE outcomes ADD COLUMN tiles BLOB;
  `,
];

/**
 * Open the database of a site: WAL, every commit durable, migrated forward.
 *
 * @throws E_STATE_DB when it is damaged or from a newer version; E_DISK_FULL
 */
export function openDatabase(path: string): Database.Database {
  const db = guarded(`state database ${path}`, () => keepStatements(new Database(path)));
  guarded(`state database ${path}`, () => {
    db.pragma('journal_mode = WAL');
    db.pragma('synchronous = FULL');
    // what is wiped is overwritten, not only unlinked
    db.pragma('secure_delete = ON');
    db.pragma('foreign_keys = ON');
    db.pragma('cache_size = -2000');
    const version = Number(db.pragma('user_version', { simple: true }));
    if (version > migrations.length) {
      throw new RegulonError('E_STATE_DB', `${path} was written by a newer version`);
    }
    for (const [i, sql] of migrations.entries()) {
      if (i < version) continue;
      db.transaction(() => {
        db.exec(sql);
        db.pragma(`user_version = ${i + 1}`);
      })();
    }
  });
  return db;
}

/** Run something that touches the disk; say what a full or broken disk means. */
export function guarded<T>(what: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw diskError(what, error);
  }
}

/** The named error of a failed write: E_DISK_FULL or E_STATE_DB; other errors as they are. */
export function diskError(what: string, error: unknown): unknown {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'SQLITE_FULL') {
    return new RegulonError('E_DISK_FULL', `${what}: the disk is full`, { cause: error, retryable: true });
  }
  if (typeof code === 'string' && /^SQLITE_(CORRUPT|NOTADB|IOERR|CANTOPEN|READONLY)/.test(code)) {
    return new RegulonError('E_STATE_DB', `${what}: ${code}`, { cause: error });
  }
  if (message === 'The database connection is not open') {
    return new RegulonError('E_STATE_DB', `${what}: the database is closed`, { cause: error });
  }
  return error;
}
