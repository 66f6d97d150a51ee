/** Tables of the audit log, forward only; the storage layer runs them in order, each once. */
export const auditMigrations: readonly string[] = [
  `CREATE TABLE log_entries (
     idx INTEGER PRIMARY KEY,
     hash BLOB NOT NULL UNIQUE,
     chain BLOB NOT NULL,
     bytes BLOB NOT NULL,
     kind TEXT NOT NULL,
     run TEXT,
     round INTEGER,
     attempt INTEGER,
     actor_type TEXT NOT NULL,
     actor_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     at TEXT NOT NULL,
     UNIQUE (actor_type, actor_id, seq)
   ) STRICT;
   CREATE INDEX log_entries_by_run ON log_entries (run, round, kind);
   CREATE TABLE log_head (
     origin TEXT PRIMARY KEY,
     size INTEGER NOT NULL,
     root BLOB NOT NULL,
     fence INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE log_checkpoints (
     size INTEGER PRIMARY KEY,
     root BLOB NOT NULL,
     note TEXT NOT NULL
   ) STRICT;
   CREATE TABLE log_equivocations (
     hash BLOB PRIMARY KEY,
     bytes BLOB NOT NULL,
     idx INTEGER NOT NULL,
     at TEXT NOT NULL
   ) STRICT;`,
  // witness: name of the member; cosignature: u64 time, then Ed25519, 72 bytes
  `CREATE TABLE log_cosignatures (
     size INTEGER NOT NULL,
     witness TEXT NOT NULL,
     cosignature BLOB NOT NULL,
     PRIMARY KEY (size, witness)
   ) STRICT, WITHOUT ROWID;`,
  // newest: the last one of the same member; the first one stays, entries are dated by it
  'ALTER TABLE log_cosignatures ADD COLUMN newest BLOB',
  // log_pruned: hashes of entries that went; log_heads: the last entry of each actor among them
  `ALTER TABLE log_head ADD COLUMN minimum INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE log_pruned (
     idx INTEGER PRIMARY KEY,
     hash BLOB NOT NULL UNIQUE
   ) STRICT;
   CREATE TABLE log_heads (
     actor_type TEXT NOT NULL,
     actor_id TEXT NOT NULL,
     seq INTEGER NOT NULL,
     hash BLOB NOT NULL,
     at TEXT NOT NULL,
     configuration TEXT,
     PRIMARY KEY (actor_type, actor_id)
   ) STRICT, WITHOUT ROWID;`,
  // attachments of entries that went and of no other, until their files are gone
  'CREATE TABLE log_doomed (digest TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;',
];
