import type { Database, Statement } from 'better-sqlite3';
import { CHAIN_START, type ChainHead, type LogEntry } from '@regulon/shared/transparency';
import { PrunedRows } from './pruned-rows.js';

/** Where the log stands after its last row. */
export interface LogEnd {
  /** number of entries */
  readonly size: number;
  /** linear chain after the last entry, 32 bytes */
  readonly chain: Uint8Array;
}

/** One entry as it is stored. */
export interface LogRow {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly chain: Uint8Array;
  readonly bytes: Uint8Array;
  readonly entry: LogEntry;
}

/** Last head that was made durable, and the fence of the process that may write. */
export interface StoredHead {
  readonly size: number;
  readonly root: Uint8Array;
  readonly fence: number;
}

/** The first and the last cosignature of one witness for one size, 72 bytes each. */
interface Cosigned {
  readonly first: Uint8Array;
  readonly last: Uint8Array;
}

interface HashedRow {
  /** null once it was pruned, like the chain */
  readonly bytes: Uint8Array | null;
  readonly hash: Uint8Array;
  readonly chain: Uint8Array | null;
}

const columns = 'idx, hash, chain, bytes, kind, run, round, attempt, actor_type, actor_id, seq, at';

/** Rows read at once; the driver's own iterator must not be collected on Node 24 (docs/adr/0005). */
const PAGE = 1024;
/** Cosigned checkpoints read at once: 255 cosignatures of each are counted. */
const COSIGNED_PAGE = 16;

/** All rows from an index on; indexes have no gaps. */
function* inPages<R>(read: (from: number) => R[], from: number): Generator<R> {
  for (let at = from; ; at += PAGE) {
    const rows = read(at);
    yield* rows;
    if (rows.length < PAGE) return;
  }
}

/** The statements of the log on one connection; all synchronous, none opens a transaction. */
export class LogRows {
  private readonly sql: Record<
    | 'end'
    | 'head'
    | 'byHash'
    | 'bySeq'
    | 'insert'
    | 'range'
    | 'hashes'
    | 'all'
    | 'conflict'
    | 'twins'
    | 'ofRun'
    | 'ofKind',
    Statement<unknown[]>
  >;
  private readonly stored: Record<
    'read' | 'create' | 'fence' | 'move' | 'checkpoint' | 'note' | 'cosign' | 'cosigned' | 'quorum' | 'timed',
    Statement<unknown[]>
  >;

  /** What went by a pruning. */
  readonly pruned: PrunedRows;

  constructor(private readonly db: Database) {
    this.pruned = new PrunedRows(db);
    this.sql = {
      end: db.prepare('SELECT idx, chain FROM log_entries ORDER BY idx DESC LIMIT 1'),
      head: db.prepare(
        'SELECT seq, hash, at FROM log_entries WHERE actor_type = ? AND actor_id = ? ORDER BY seq DESC LIMIT 1',
      ),
      byHash: db
        .prepare(
          'SELECT idx FROM log_entries WHERE hash = ? UNION ALL SELECT idx FROM log_pruned WHERE hash = ?',
        )
        .pluck(),
      bySeq: db
        .prepare('SELECT idx FROM log_entries WHERE actor_type = ? AND actor_id = ? AND seq = ?')
        .pluck(),
      insert: db.prepare(`INSERT INTO log_entries (${columns}) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)`),
      range: db.prepare('SELECT bytes FROM log_entries WHERE idx >= ? AND idx < ? ORDER BY idx').pluck(),
      hashes: db.prepare('SELECT hash FROM log_entries WHERE idx >= ? ORDER BY idx LIMIT ?').pluck(),
      all: db.prepare(
        `SELECT idx, bytes, hash, chain FROM log_entries WHERE idx >= ?
         UNION ALL SELECT idx, NULL, hash, NULL FROM log_pruned WHERE idx >= ? ORDER BY idx LIMIT ?`,
      ),
      conflict: db.prepare('INSERT OR IGNORE INTO log_equivocations (hash, bytes, idx, at) VALUES (?,?,?,?)'),
      twins: db.prepare('SELECT count(*) FROM log_equivocations WHERE idx = ?').pluck(),
      ofKind: db.prepare('SELECT idx FROM log_entries WHERE run IS NULL AND kind = ? ORDER BY idx').pluck(),
      ofRun: db.prepare('SELECT idx FROM log_entries WHERE run = ? AND kind = ? ORDER BY idx').pluck(),
    };
    this.stored = {
      read: db.prepare('SELECT size, root, fence FROM log_head WHERE origin = ?'),
      create: db.prepare('INSERT OR IGNORE INTO log_head (origin, size, root, fence) VALUES (?, 0, ?, 0)'),
      fence: db.prepare('UPDATE log_head SET fence = fence + 1 WHERE origin = ?'),
      move: db.prepare('UPDATE log_head SET size = ?, root = ? WHERE origin = ? AND size = ? AND fence = ?'),
      checkpoint: db.prepare('INSERT OR IGNORE INTO log_checkpoints (size, root, note) VALUES (?,?,?)'),
      note: db.prepare('SELECT root, note FROM log_checkpoints WHERE size = ?'),
      cosign: db.prepare(
        `INSERT INTO log_cosignatures (size, witness, cosignature, newest) VALUES (?,?,?,?)
         ON CONFLICT DO UPDATE SET newest = excluded.newest`,
      ),
      cosigned: db.prepare(
        'SELECT witness, cosignature AS first, coalesce(newest, cosignature) AS last FROM log_cosignatures WHERE size = ?',
      ),
      timed: db.prepare(
        `SELECT * FROM (SELECT size, cosignature AS first, coalesce(newest, cosignature) AS last FROM log_cosignatures
           WHERE witness = ? AND size <= ? ORDER BY size DESC LIMIT 1)
         UNION ALL
         SELECT * FROM (SELECT size, cosignature, coalesce(newest, cosignature) FROM log_cosignatures
           WHERE witness = ? AND size > ? ORDER BY size LIMIT 1)`,
      ),
      quorum: db
        .prepare(
          `SELECT size FROM log_cosignatures WHERE size > ? AND size <= ?
           GROUP BY size HAVING count(*) >= ? ORDER BY size LIMIT ?`,
        )
        .pluck(),
    };
  }

  end(): LogEnd {
    const row = this.sql.end.get() as { idx: number; chain: Uint8Array } | undefined;
    return row === undefined ? { size: 0, chain: CHAIN_START } : { size: row.idx + 1, chain: row.chain };
  }

  /** Last entry of an actor. */
  headOf(actor: { readonly type: string; readonly id: string }): ChainHead | undefined {
    return (this.sql.head.get(actor.type, actor.id) as ChainHead | undefined) ?? this.pruned.headOf(actor);
  }

  indexOfHash(hash: Uint8Array): number | undefined {
    return this.sql.byHash.get(hash, hash) as number | undefined;
  }

  indexOfSeq(entry: LogEntry): number | undefined {
    return this.sql.bySeq.get(entry.actor.type, entry.actor.id, entry.seq) as number | undefined;
  }

  insert({ index, hash, chain, bytes, entry }: LogRow): void {
    const { kind, run = null, round = null, attempt = null, actor, seq, at } = entry;
    this.sql.insert.run(index, hash, chain, bytes, kind, run, round, attempt, actor.type, actor.id, seq, at);
  }

  /** Entry bytes of `from` ≤ index < `to`, without those that were pruned. */
  entries(from: number, to: number): Uint8Array[] {
    return this.sql.range.all(from, to) as Uint8Array[];
  }

  hashesFrom(index: number): Generator<Uint8Array> {
    return inPages((from) => this.sql.hashes.all(from, PAGE) as Uint8Array[], index);
  }

  /** Hashes of the entries before an index, in order, pruned or not. */
  *hashesBelow(end: number): Generator<Uint8Array> {
    let index = 0;
    for (const { hash } of this.all()) {
      if (index++ === end) return;
      yield hash;
    }
  }

  all(): Generator<HashedRow> {
    return inPages((from) => this.sql.all.all(from, from, PAGE) as HashedRow[], 0);
  }

  /** Indexes of the entries of one kind in a run. */
  ofRun(run: string, kind: string): number[] {
    return this.sql.ofRun.all(run, kind) as number[];
  }

  /** Indexes of the entries of one kind that belong to no run. */
  ofKind(kind: string): number[] {
    return this.sql.ofKind.all(kind) as number[];
  }

  /** @returns whether it is the first that is kept for the entry of this index */
  keepEquivocation(hash: Uint8Array, bytes: Uint8Array, index: number, at: string): boolean {
    const isFirst = this.sql.twins.get(index) === 0;
    this.sql.conflict.run(hash, bytes, index, at);
    return isFirst;
  }

  /** Make this process the only writer. @returns the head, with the new fence */
  takeHead(origin: string, emptyRoot: Uint8Array): StoredHead {
    return this.db.transaction(() => {
      this.stored.create.run(origin, emptyRoot);
      this.stored.fence.run(origin);
      return this.head(origin);
    })();
  }

  head(origin: string): StoredHead {
    return this.stored.read.get(origin) as StoredHead;
  }

  /** Compare and set. @returns false when another process holds the fence or moved the head */
  moveHead(
    origin: string,
    from: StoredHead,
    to: { readonly size: number; readonly root: Uint8Array },
  ): boolean {
    return this.stored.move.run(to.size, to.root, origin, from.size, from.fence).changes === 1;
  }

  /** Keep a signed checkpoint. @returns what is kept for this size, which may be an older one */
  keepCheckpoint(
    size: number,
    root: Uint8Array,
    note: string,
  ): { readonly root: Uint8Array; readonly note: string } {
    this.stored.checkpoint.run(size, root, note);
    return this.stored.note.get(size) as { root: Uint8Array; note: string };
  }

  /** A signed checkpoint of this size, without cosignatures. */
  checkpointOf(size: number): { readonly root: Uint8Array; readonly note: string } | undefined {
    return this.stored.note.get(size) as { root: Uint8Array; note: string } | undefined;
  }

  /** Keep a verified cosignature: the first of a witness for this size, and the last. */
  keepCosignature(size: number, witness: string, cosignature: Uint8Array): void {
    this.stored.cosign.run(size, witness, cosignature, cosignature);
  }

  /** Cosignatures of a checkpoint by the name of their witness: its first, or its last one. */
  cosignaturesOf(size: number, which: 'first' | 'last' = 'last'): Map<string, Uint8Array> {
    const rows = this.stored.cosigned.all(size) as (Cosigned & { witness: string })[];
    return new Map(rows.map((row) => [row.witness, Uint8Array.from(row[which])]));
  }

  /** What a witness cosigned next to this size: the largest up to it, and the smallest above. */
  cosignedAround(size: number, witness: string): (Cosigned & { readonly size: number })[] {
    return this.stored.timed.all(witness, size, witness, size) as (Cosigned & { size: number })[];
  }

  /** Sizes up to `most` with at least `quorum` cosignatures, ascending. */
  *cosignedSizes(most: number, quorum: number): Generator<number> {
    let page: number[];
    for (let after = -1; ; after = page.at(-1) ?? most) {
      page = this.stored.quorum.all(after, most, quorum, COSIGNED_PAGE) as number[];
      yield* page;
      if (page.length < COSIGNED_PAGE) return;
    }
  }
}
