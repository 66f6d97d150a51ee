import type { Database } from 'better-sqlite3';
import { RegulonError } from '@regulon/shared/errors';
import { RollbackCounter } from './counter.js';
import { guarded, openDatabase } from './database.js';
import { openStateFolder, type StatePaths } from './folder.js';
import { Sealing } from './sealing.js';

/** What a site has pinned; under one state folder only roster and identity key change, to those that follow them. */
export interface IdentityPins {
  readonly site: string;
  readonly federationId: string;
  /** hexadecimal */
  readonly rosterHash: string;
  /** Ed25519 public key IK, hexadecimal */
  readonly identityKey: string;
}

/** What a site had pinned before a change of the roster, hexadecimal. */
export type FormerPins = Partial<Record<'rosterHash' | 'identityKey', readonly string[]>>;

/** The durable state of a site: one SQLite database, the files of live runs, and the anchor outside both. */
export class SiteState {
  private constructor(
    readonly db: Database,
    readonly paths: StatePaths,
    readonly sealing: Sealing,
    private readonly counter: RollbackCounter,
    private readonly release: () => void,
  ) {}

  /**
   * @throws E_STATE_LOCKED, E_STATE_DB, E_KEY_FILE
   * @throws E_QUARANTINE when the database was exchanged for an older copy
   * @param former what was pinned before, as the rosters that follow one another show it: it may be replaced
   * @throws E_ROSTER when it belongs to another site, or to a roster that the pinned one does not follow
   */
  static open(folder: string, pins: IdentityPins, former: FormerPins = {}): SiteState {
    const { paths, release } = openStateFolder(folder);
    try {
      const db = openDatabase(paths.database);
      const stored = Number(read(db, 'counter') ?? 0);
      const fresh = read(db, 'site') === undefined;
      const counter = RollbackCounter.open(paths.anchor, stored);
      const sealing = Sealing.open(paths.anchor, fresh);
      checkPins(db, pins, former);
      return new SiteState(db, paths, sealing, counter, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** One durable transaction; nested calls join it. */
  transact<T>(what: string, change: () => T): T {
    return guarded(what, () => this.db.transaction(change).immediate());
  }

  /**
   * A transaction that survives a killed process but perhaps not a power failure: for what can be asked for again.
   * The next durable transaction makes it durable too.
   */
  transactSoon<T>(what: string, change: () => T): T {
    if (this.db.inTransaction) return this.transact(what, change);
    this.db.pragma('synchronous = NORMAL');
    try {
      return this.transact(what, change);
    } finally {
      this.db.pragma('synchronous = FULL');
    }
  }

  /**
   * A transaction after which a message may leave that must never leave twice in another form: the counter of the
   * database and the one outside it grow by one.
   */
  journal<T>(what: string, change: () => T): T {
    const next = this.counter.current + 1;
    const result = this.transact(what, () => {
      const value = change();
      write(this.db, 'counter', String(next));
      return value;
    });
    guarded(what, () => this.counter.write(next));
    return result;
  }

  /** Small durable values that belong to no table. */
  get(key: string): string | undefined {
    return read(this.db, key);
  }

  set(key: string, value: string): void {
    this.transact(key, () => write(this.db, key, value));
  }

  close(): void {
    this.db.close();
    this.counter.close();
    this.release();
  }
}

function checkPins(db: Database, pins: IdentityPins, former: FormerPins): void {
  for (const [key, value] of Object.entries(pins) as [keyof IdentityPins, string][]) {
    const known = read(db, key);
    const follows =
      (key === 'rosterHash' || key === 'identityKey') && known !== undefined && former[key]?.includes(known);
    if (known === undefined || follows) write(db, key, value);
    else if (known !== value) {
      throw new RegulonError('E_ROSTER', `this state folder was enrolled with another ${key}`, {
        hint: 'use the state folder of this site, or enrol into an empty one',
      });
    }
  }
}

function read(db: Database, key: string): string | undefined {
  const row = db.prepare('SELECT value FROM meta WHERE key = ?').get(key) as { value: string } | undefined;
  return row?.value;
}

function write(db: Database, key: string, value: string): void {
  db.prepare('INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value').run(
    key,
    value,
  );
}
