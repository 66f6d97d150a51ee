import v8 from 'node:v8';

interface Statement {
  readonly reader: boolean;
  run(): unknown;
  all(): unknown[];
}

/** What is needed of a better-sqlite3 database; the driver itself is no dependency of this workspace. */
export interface SqliteConnection {
  prepare(sql: string): Statement;
  pragma(sql: string, options?: { simple?: boolean }): unknown;
}

const KEY = Symbol.for('regulon.sqlite');

/** Objects that live as long as the process, also where a test runner loads this module many times. */
function keptObjects(): unknown[] {
  const known: unknown = Reflect.get(v8, KEY);
  if (Array.isArray(known)) return known;
  const kept: unknown[] = [];
  Reflect.set(v8, KEY, kept);
  return kept;
}

/**
 * Prepare each statement once and keep it, and the database, as long as the process lives.
 *
 * From Node 24.19 on better-sqlite3 12 aborts the process when one of its objects is collected outside any JavaScript
 * context (its destructor removes a hook from an environment that is not there). What is never collected cannot abort.
 *
 * @returns the same object
 */
export function keepStatements<D extends SqliteConnection>(db: D): D {
  const statements = new Map<string, Statement>();
  const prepare = db.prepare.bind(db);
  const cached = (sql: string): Statement => {
    const known = statements.get(sql);
    if (known) return known;
    const statement = prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  const pragma = (sql: string, options?: { simple?: boolean }): unknown => {
    const statement = cached(`PRAGMA ${sql}`);
    if (!statement.reader) return statement.run();
    const rows = statement.all();
    return options?.simple ? Object.values(Object(rows[0]) as Record<string, unknown>)[0] : rows;
  };
  Object.defineProperties(db, { prepare: { value: cached }, pragma: { value: pragma } });
  keptObjects().push(db, statements);
  return db;
}
