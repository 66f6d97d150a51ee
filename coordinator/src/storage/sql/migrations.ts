/** One forward step of the schema; never edited after a release. */
export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Tables of the coordinator; the tables of the log come from the audit folder. */
export const coordinatorMigrations: readonly Migration[] = [
  {
    name: 'coordinator-0001',
    sql: `
CREATE TABLE runs (
  run_id BLOB PRIMARY KEY, name TEXT NOT NULL, plan TEXT NOT NULL, plan_hash BLOB NOT NULL, propose_index INTEGER NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('QUEUED','WAITING','RUNNING','PAUSED','COMPLETED','COMPLETED_PARTIAL','ABORTED','FAILED')),
  since_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, started_ms INTEGER, finished_ms INTEGER,
  reason TEXT, document BLOB, result TEXT
) STRICT, WITHOUT ROWID;
CREATE TABLE approvals (
  run_id BLOB NOT NULL REFERENCES runs, site INTEGER NOT NULL, entry_index INTEGER NOT NULL, PRIMARY KEY (run_id, site)
) STRICT, WITHOUT ROWID;
CREATE TABLE datasets (
  site INTEGER NOT NULL, name TEXT NOT NULL, entry_index INTEGER NOT NULL, panel_digest BLOB NOT NULL,
  panel_size INTEGER NOT NULL, is_public INTEGER NOT NULL, band TEXT NOT NULL, PRIMARY KEY (site, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE site_policies (site INTEGER PRIMARY KEY, entry_index INTEGER NOT NULL) STRICT;
CREATE TABLE rounds (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, state TEXT NOT NULL, PRIMARY KEY (run_id, round)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, manifest BLOB NOT NULL,
  signature BLOB NOT NULL, opened_ms INTEGER NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('open','closed','aborted')),
  transcript BLOB, end_signature BLOB, reason TEXT, PRIMARY KEY (run_id, round, attempt)
) STRICT, WITHOUT ROWID;
CREATE TABLE stages (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, stage TEXT NOT NULL,
  at_ms INTEGER NOT NULL, PRIMARY KEY (run_id, round, attempt, stage)
) STRICT, WITHOUT ROWID;
CREATE TABLE messages (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
  site INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (run_id, round, attempt, kind, site)
) STRICT;
CREATE TABLE uploads (
  upload_id BLOB PRIMARY KEY, run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL,
  site INTEGER NOT NULL, root BLOB NOT NULL, message BLOB NOT NULL, size INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('committing','committed')), receipt BLOB
) STRICT;
CREATE TABLE outcomes (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, survivors TEXT NOT NULL,
  aggregate_root BLOB NOT NULL, aggregate_bytes INTEGER NOT NULL, model_hash BLOB, transcript BLOB NOT NULL,
  closed_ms INTEGER NOT NULL, facts TEXT NOT NULL, PRIMARY KEY (run_id, round)
) STRICT, WITHOUT ROWID;
CREATE TABLE round_entries (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, kind TEXT NOT NULL,
  site INTEGER NOT NULL, entry_index INTEGER NOT NULL, PRIMARY KEY (run_id, round, attempt, kind, site)
) STRICT, WITHOUT ROWID;
CREATE TABLE blobs (
  digest BLOB PRIMARY KEY, size INTEGER NOT NULL, kind TEXT NOT NULL CHECK (kind IN ('aggregate','model')),
  run_id BLOB NOT NULL REFERENCES runs, arm INTEGER, round INTEGER NOT NULL
) STRICT;
`,
  },
  {
    name: 'coordinator-0002',
    sql: `
CREATE TABLE second_commits (
  run_id BLOB NOT NULL REFERENCES runs, round INTEGER NOT NULL, attempt INTEGER NOT NULL, site INTEGER NOT NULL,
  first BLOB NOT NULL, second BLOB NOT NULL, PRIMARY KEY (run_id, round, attempt, site, second)
) STRICT, WITHOUT ROWID;
`,
  },
  {
    name: 'coordinator-0003',
    sql: `
CREATE TABLE accounts (
  name TEXT PRIMARY KEY, role TEXT NOT NULL CHECK (role IN ('researcher','steward','auditor','operator')),
  password TEXT, subject TEXT UNIQUE, second_factor BLOB, last_step INTEGER NOT NULL, setup BLOB, setup_until_ms INTEGER NOT NULL,
  created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE sessions (
  token BLOB PRIMARY KEY, name TEXT NOT NULL REFERENCES accounts ON DELETE CASCADE, expires_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE login_failures (
  name TEXT PRIMARY KEY, failures INTEGER NOT NULL, until_ms INTEGER NOT NULL, forget_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
`,
  },
  {
    // whom an opaque id of the log means; a row may be erased, the log stays as it is
    name: 'coordinator-0004',
    sql: `
CREATE TABLE log_people (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, since_ms INTEGER NOT NULL, until_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX log_people_by_name ON log_people (name) WHERE until_ms IS NULL;
`,
  },
  {
    name: 'coordinator-0005',
    sql: `
ALTER TABLE outcomes ADD COLUMN tiles TEXT;
`,
  },
];
