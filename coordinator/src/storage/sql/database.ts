import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import Database from 'better-sqlite3';
import { keepStatements } from '@regulon/shared/sqlite';
import {
  type Compilable,
  DummyDriver,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { Schema } from '../schema.js';
import type { Migration } from './migrations.js';

/** Typed query builder; it only writes SQL, `Store` runs it. */
export const query = new Kysely<Schema>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
});

/**
 * The database of one coordinator: SQLite in WAL mode, every commit synced to disk.
 *
 * Queries are built by kysely and run synchronously, so that a change of state and its log entry (written by the
 * sequencer on the same handle) are one transaction: nothing else can run between BEGIN and COMMIT.
 */
export class Store {
  private readonly statements = new Map<string, Database.Statement>();

  private constructor(
    readonly raw: Database.Database,
    private readonly lock: Database.Database | null,
  ) {}

  /**
   * Open and migrate.
   *
   * @param path file, made if absent, or ':memory:'
   * @throws E_STATE_LOCKED when another process has it; E_STATE_DB when a newer version has written it
   */
  static open(path: string, migrations: readonly Migration[]): Store {
    const inMemory = path === ':memory:';
    if (!inMemory) mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const lock = inMemory ? null : takeLock(join(dirname(path), 'lock'));
    const raw = keepStatements(new Database(path));
    raw.pragma('journal_mode = WAL');
    raw.pragma('synchronous = FULL');
    raw.pragma('foreign_keys = ON');
    const store = new Store(raw, lock);
    store.migrate(migrations);
    return store;
  }

  /** All rows of a select. */
  all<R>(q: Compilable<R>): R[] {
    const { sql, parameters } = q.compile();
    return this.prepared(sql).all(...parameters) as R[];
  }

  /** First row of a select. */
  first<R>(q: Compilable<R>): R | undefined {
    const { sql, parameters } = q.compile();
    return this.prepared(sql).get(...parameters) as R | undefined;
  }

  /** Insert, update or delete. @returns number of changed rows */
  run(q: Compilable<unknown>): number {
    const { sql, parameters } = q.compile();
    return this.prepared(sql).run(...parameters).changes;
  }

  /**
   * Everything or nothing; nested calls join the outer transaction. The function must not await.
   *
   * @param durable false: a process crash cannot undo it, a power failure can, until the next durable transaction
   */
  transaction<T>(work: () => T, durable = true): T {
    if (this.raw.inTransaction) return work();
    if (durable) return this.raw.transaction(work).immediate();
    this.raw.pragma('synchronous = NORMAL');
    try {
      return this.raw.transaction(work).immediate();
    } finally {
      this.raw.pragma('synchronous = FULL');
    }
  }

  close(): void {
    this.raw.close();
    this.lock?.close();
  }

  private prepared(sql: string): Database.Statement {
    let statement = this.statements.get(sql);
    if (!statement) this.statements.set(sql, (statement = this.raw.prepare(sql)));
    return statement;
  }

  private migrate(migrations: readonly Migration[]): void {
    this.raw.exec(
      'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, at_ms INTEGER NOT NULL) STRICT',
    );
    const done = new Set(this.raw.prepare('SELECT name FROM migrations').pluck().all() as string[]);
    const known = new Set(migrations.map((m) => m.name));
    const newer = [...done].find((name) => !known.has(name));
    if (newer !== undefined) {
      throw new RegulonError('E_STATE_DB', `the database has the migration ${newer} of a newer version`, {
        hint: 'start the version that wrote this state folder, or a newer one',
      });
    }
    for (const { name, sql } of migrations) {
      if (done.has(name)) continue;
      this.transaction(() => {
        this.raw.exec(sql);
        this.raw.prepare('INSERT INTO migrations VALUES (?, ?)').run(name, Date.now());
      });
    }
  }
}

/** A lock that the operating system releases with the process: an open exclusive transaction on its own file. */
function takeLock(path: string): Database.Database {
  const lock = keepStatements(new Database(path, { timeout: 0 }));
  try {
    lock.pragma('journal_mode = DELETE');
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    throw new RegulonError('E_STATE_LOCKED', 'another process uses this state folder', { cause });
  }
}
