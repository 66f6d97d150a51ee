import type { Database, Statement } from 'better-sqlite3';
import { type BaselineState, type ChainHead, isRepeated, kinds } from '@regulon/shared/transparency';

/** Kinds whose entries stay, as a JSON list. */
const STAYING = JSON.stringify(Object.keys(kinds).filter(isRepeated));
const GOING = 'idx < ? AND kind NOT IN (SELECT value FROM json_each(?))';

/** Rows read at once. */
const PAGE = 1024;

type ActorName = Pick<BaselineState['heads'][number], 'type' | 'id'>;

/** What is kept of entries that were pruned: their hashes, and where the chains of their actors stood. */
export class PrunedRows {
  private readonly sql: Record<
    | 'minimum'
    | 'head'
    | 'left'
    | 'going'
    | 'page'
    | 'youngest'
    | 'open'
    | 'keep'
    | 'keepHead'
    | 'drop'
    | 'twins'
    | 'move',
    Statement<unknown[]>
  >;

  constructor(db: Database) {
    this.sql = {
      minimum: db.prepare('SELECT coalesce(max(minimum), 0) FROM log_head').pluck(),
      head: db.prepare('SELECT * FROM log_heads WHERE actor_type = ? AND actor_id = ?'),
      left: db.prepare(
        'SELECT idx AS "index", bytes FROM log_entries WHERE idx >= ? AND idx < ? ORDER BY idx',
      ),
      going: db.prepare(`SELECT bytes FROM log_entries WHERE ${GOING}`).pluck(),
      page: db.prepare('SELECT idx, bytes FROM log_entries WHERE idx > ? ORDER BY idx LIMIT ?'),
      youngest: db.prepare('SELECT max(at) FROM log_entries WHERE idx <= ?').pluck(),
      open: db
        .prepare(
          `SELECT run FROM log_entries WHERE idx < ? AND run IS NOT NULL GROUP BY run
           HAVING sum(kind IN ('run.start', 'round.open')) > 0 AND sum(kind = 'run.finish') = 0`,
        )
        .pluck(),
      keep: db.prepare(`INSERT INTO log_pruned SELECT idx, hash FROM log_entries WHERE ${GOING}`),
      keepHead: db.prepare(
        `INSERT OR REPLACE INTO log_heads (actor_type, actor_id, seq, hash, at, configuration)
         SELECT actor_type, actor_id, seq, hash, at, ? FROM log_entries WHERE idx = ?`,
      ),
      drop: db.prepare(`DELETE FROM log_entries WHERE ${GOING}`),
      twins: db.prepare('DELETE FROM log_equivocations WHERE idx < ?'),
      move: db.prepare('UPDATE log_head SET minimum = ?'),
    };
  }

  /** First entry whose bundle is kept: 0 until the log is pruned. */
  get minimum(): number {
    return this.sql.minimum.get() as number;
  }

  /** Last entry of an actor whose every entry went. */
  headOf({ type, id }: ActorName): ChainHead | undefined {
    return this.sql.head.get(type, id) as ChainHead | undefined;
  }

  /** What the actor's last entry that went had stated of its configuration. */
  configurationOf({ type, id }: ActorName): string | null {
    const row = this.sql.head.get(type, id) as { configuration: string | null } | undefined;
    return row?.configuration ?? null;
  }

  /** Entries `from` ≤ index < `to` that are left, with their places. */
  left(from: number, to: number): { readonly index: number; readonly bytes: Uint8Array }[] {
    return this.sql.left.all(from, to) as { index: number; bytes: Uint8Array }[];
  }

  /** Entries that a pruning below this index drops. */
  going(size: number): Uint8Array[] {
    return this.sql.going.all(size, STAYING) as Uint8Array[];
  }

  /** Every entry that is left. */
  *kept(): Generator<Uint8Array> {
    for (let page = this.page(-1); page.length > 0; page = this.page(page.at(-1)?.idx ?? -1))
      yield* page.map(({ bytes }) => bytes);
  }

  private page(after: number): { readonly idx: number; readonly bytes: Uint8Array }[] {
    return this.sql.page.all(after, PAGE) as { idx: number; bytes: Uint8Array }[];
  }

  /** The latest time that an entry up to this one states. */
  youngest(index: number): string {
    return this.sql.youngest.get(index) as string;
  }

  /** A run that has entries before this one and did not end there. */
  openBefore(index: number): string | undefined {
    return this.sql.open.get(index) as string | undefined;
  }

  /** Drop the bytes of the entries before the size of a baseline. MUST run in a transaction. */
  drop({ size, heads }: Pick<BaselineState, 'size' | 'heads'>): void {
    for (const { index, configuration } of heads) this.sql.keepHead.run(configuration, index);
    this.sql.keep.run(size, STAYING);
    this.sql.drop.run(size, STAYING);
    this.sql.twins.run(size);
    this.sql.move.run(size);
  }
}
