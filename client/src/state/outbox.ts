import { fromHex, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** Place of an entry in a run; fields are absent where they mean nothing. */
export interface EntryPlace {
  readonly run?: string;
  readonly round?: number;
  readonly attempt?: number;
}

/** An entry of this site before it is signed. */
export interface OutboxDraft extends EntryPlace {
  readonly kind: string;
  readonly body: unknown;
  /** bytes of this site's previous entry; the new one links to it */
  readonly previous: Uint8Array | undefined;
}

/** Numbers, links and signs an entry with the identity key. */
export type SealDraft = (draft: OutboxDraft) => { seq: number; bytes: Uint8Array; hash: Uint8Array };

export interface OutboxRow extends EntryPlace {
  readonly seq: number;
  readonly kind: string;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  /** position in the log that this site has verified; null until a checkpoint covers it, whatever the coordinator says */
  readonly index: number | null;
}

/**
 * This site's entries in their order: number, link to the previous entry, signature and row are one transaction,
 * so the chain has no gap and no fork whatever crashes.
 */
export class Outbox {
  private draining: Promise<void> | undefined;

  constructor(
    private readonly state: SiteState,
    private readonly seal: SealDraft,
    private readonly now: () => number = Date.now,
  ) {}

  /** Add an entry, or find the one of the same kind and place. Durable on return. */
  append(kind: string, place: EntryPlace, body: unknown): OutboxRow {
    return this.state.transact('outbox', () => {
      const known = place.run === undefined ? undefined : this.find(kind, place);
      if (known) return known;
      const { seq, bytes, hash } = this.seal({ kind, ...place, body, previous: this.last()?.bytes });
      this.state.db
        .prepare('INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL)')
        .run(seq, kind, place.run ?? null, place.round ?? null, place.attempt ?? null, bytes, hash);
      return { ...place, seq, kind, bytes, hash, index: null };
    });
  }

  find(kind: string, place: EntryPlace): OutboxRow | undefined {
    const row = this.state.db
      .prepare('SELECT * FROM outbox WHERE kind = ? AND run IS ? AND round IS ? AND attempt IS ?')
      .get(kind, place.run ?? null, place.round ?? null, place.attempt ?? null) as Raw | undefined;
    return row && fromRaw(row);
  }

  /** The newest entry of one of these kinds. */
  lastOf(...kinds: readonly string[]): OutboxRow | undefined {
    const row = this.state.db
      .prepare(
        'SELECT * FROM outbox WHERE kind IN (SELECT value FROM json_each(?)) ORDER BY seq DESC LIMIT 1',
      )
      .get(JSON.stringify(kinds)) as Raw | undefined;
    return row && fromRaw(row);
  }

  at(seq: number): OutboxRow | undefined {
    const row = this.state.db.prepare('SELECT * FROM outbox WHERE seq = ?').get(seq) as Raw | undefined;
    return row && fromRaw(row);
  }

  last(): OutboxRow | undefined {
    const row = this.state.db.prepare('SELECT * FROM outbox ORDER BY seq DESC LIMIT 1').get() as
      Raw | undefined;
    return row && fromRaw(row);
  }

  unsent(): OutboxRow[] {
    const rows = this.state.db
      .prepare('SELECT * FROM outbox WHERE claimed_index IS NULL AND log_index IS NULL ORDER BY seq')
      .all() as Raw[];
    return rows.map(fromRaw);
  }

  /**
   * Sign anew what waited under a key that was exchanged meanwhile, with the same numbers. MUST run only when the verified
   * log shows the exchange and everything before it: what it does not show then can enter it no more under the old key.
   *
   * @param isCurrent whether the key in force signed an entry
   * @returns how many entries were signed anew
   */
  reseal(isCurrent: (bytes: Uint8Array) => boolean): number {
    return this.state.transact('outbox', () => {
      const waiting = this.waiting();
      const first = waiting.findIndex(({ bytes }) => !isCurrent(bytes));
      const stale = first < 0 ? [] : waiting.slice(first);
      for (const { seq, kind, bytes: old, index: _, hash: __, ...place } of stale) {
        const { body } = JSON.parse(Buffer.from(old).toString('utf8')) as { body: unknown };
        const { bytes, hash } = this.seal({ kind, ...place, body, previous: this.at(seq - 1)?.bytes });
        this.state.db
          .prepare(
            'UPDATE outbox SET bytes = ?, hash = ?, claimed_index = NULL, claimed_at = NULL WHERE seq = ?',
          )
          .run(bytes, hash, seq);
      }
      return stale.length;
    });
  }

  /** Whether something waits that the key in force did not sign. */
  hasStale(isCurrent: (bytes: Uint8Array) => boolean): boolean {
    return this.waiting().some(({ bytes }) => !isCurrent(bytes));
  }

  /** Entries that the verified log does not show yet. */
  private waiting(): OutboxRow[] {
    const rows = this.state.db.prepare('SELECT * FROM outbox WHERE log_index IS NULL ORDER BY seq').all();
    return (rows as Raw[]).map(fromRaw);
  }

  /**
   * Send what waits, in order, until each is acknowledged; calls join.
   *
   * @param send resolves to the index that the coordinator claims; it counts only when the log shows the entry there
   * @throws E_FORK when the verified log shows the entry elsewhere
   */
  async drain(send: (bytes: Uint8Array) => Promise<number>): Promise<void> {
    while (this.draining) await this.draining;
    this.draining = this.sendAll(send).finally(() => (this.draining = undefined));
    return this.draining;
  }

  /**
   * Compare an entry of the log that bears this site's name with the own record.
   *
   * @throws E_QUARANTINE when the log holds what this database does not know: it was restored from a copy
   */
  verifyOwn(seq: number, hash: Uint8Array): void {
    const own = this.at(seq);
    if (own && hex(own.hash) === hex(hash)) return;
    const what = own ? 'another entry' : 'an entry that this database does not hold';
    throw new RegulonError('E_QUARANTINE', `the log has ${what} of this site with number ${seq}`);
  }

  /** Hashes of this site's entries that the verified log does not show yet. */
  hashesToCome(): Uint8Array[] {
    return this.waiting().map(({ hash }) => hash);
  }

  /** Number of this site's next entry that the verified log does not show yet. */
  nextInLog(): number {
    const row = this.state.db
      .prepare('SELECT seq FROM outbox WHERE log_index IS NOT NULL ORDER BY seq DESC LIMIT 1')
      .get() as { seq: number } | undefined;
    return row === undefined ? 0 : row.seq + 1;
  }

  /**
   * True when the coordinator took an entry longer ago than it may wait for a checkpoint, and the log does not show it.
   *
   * @param delayMs longest time between the acknowledgement of an entry and a checkpoint that covers it
   */
  overdue(delayMs: number): boolean {
    const sql =
      'SELECT 1 FROM outbox WHERE log_index IS NULL AND claimed_index >= 0 AND claimed_at < ? LIMIT 1';
    return this.state.db.prepare(sql).get(this.now() - delayMs) !== undefined;
  }

  /**
   * Take over where the log shows this site's entries. MUST run in the transaction that moves the witness to `size`.
   *
   * @param places number of the entry → position, for every own entry up to `size` that was not shown before
   * @throws E_FORK when an entry does not stand where the coordinator said
   */
  cover(size: number, places: ReadonlyMap<number, number>): void {
    const { db } = this.state;
    const update = db.prepare('UPDATE outbox SET log_index = ? WHERE seq = ?');
    for (const [seq, index] of places) {
      const { claimed_index: claimed } = db
        .prepare('SELECT claimed_index FROM outbox WHERE seq = ?')
        .get(seq) as { claimed_index: number | null };
      if (claimed !== null && claimed !== index) throw misplaced(seq, claimed);
      update.run(index, seq);
    }
    const missing = db
      .prepare('SELECT seq, claimed_index FROM outbox WHERE log_index IS NULL AND claimed_index < ? LIMIT 1')
      .get(size) as { seq: number; claimed_index: number } | undefined;
    if (missing) throw misplaced(missing.seq, missing.claimed_index);
  }

  private async sendAll(send: (bytes: Uint8Array) => Promise<number>): Promise<void> {
    for (const row of this.unsent()) {
      const claimed = await send(row.bytes);
      this.state.transactSoon('outbox', () => {
        const { index } = this.at(row.seq) ?? row;
        if (index !== null && index !== claimed) throw misplaced(row.seq, claimed);
        this.state.db
          .prepare('UPDATE outbox SET claimed_index = ?, claimed_at = ? WHERE seq = ?')
          .run(claimed, this.now(), row.seq);
      });
    }
  }
}

function misplaced(seq: number, claimed: number): RegulonError {
  return new RegulonError(
    'E_FORK',
    `the coordinator put entry ${seq} of this site at ${claimed}, where the log has another one`,
  );
}

interface Raw {
  readonly seq: number;
  readonly kind: string;
  readonly run: string | null;
  readonly round: number | null;
  readonly attempt: number | null;
  readonly bytes: Buffer;
  readonly hash: Buffer;
  readonly log_index: number | null;
}

function fromRaw(row: Raw): OutboxRow {
  return {
    seq: row.seq,
    kind: row.kind,
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.round === null ? {} : { round: row.round }),
    ...(row.attempt === null ? {} : { attempt: row.attempt }),
    bytes: plain(row.bytes),
    hash: fromHex(hex(row.hash), 32),
    index: row.log_index,
  };
}
