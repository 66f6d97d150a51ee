import { canonicalJson, concatBytes, hex, sha256, utf8 } from '@regulon/shared/crypto';
import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** One charge: a release of this site's data, with what it costs. */
export interface LedgerEvent {
  readonly dataset: string;
  readonly run: string;
  readonly round: number;
  readonly attempt: number;
  /** mechanism events as data, never ε: composition is recomputed */
  readonly event: Readonly<Record<string, string | number>>;
}

/** Append-only, hash-chained record of every release, written before the release leaves. */
export class Ledger {
  constructor(private readonly state: SiteState) {}

  /**
   * Charge a release; the same attempt is charged once.
   *
   * @returns number of the charge, from 0, and its link in the chain, hexadecimal
   * @throws E_DISK_FULL, E_STATE_DB
   */
  charge(charge: LedgerEvent): { seq: number; hash: string } {
    const { db } = this.state;
    return this.state.transact('ledger', () => {
      const known = db
        .prepare('SELECT seq, hash FROM ledger WHERE run = ? AND round = ? AND attempt = ?')
        .get(charge.run, charge.round, charge.attempt) as { seq: number; hash: Buffer } | undefined;
      if (known) return { seq: known.seq, hash: hex(plain(known.hash)) };
      const last = db.prepare('SELECT seq, hash FROM ledger ORDER BY seq DESC LIMIT 1').get() as
        { seq: number; hash: Buffer } | undefined;
      const prev = last ? plain(last.hash) : new Uint8Array(32);
      const seq = last ? last.seq + 1 : 0;
      const { dataset, run, round, attempt, event } = charge;
      const hash = sha256(
        concatBytes(prev, utf8(canonicalJson({ seq, dataset, run, round, attempt, event }))),
      );
      db.prepare('INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)').run(
        seq,
        dataset,
        run,
        round,
        attempt,
        canonicalJson(event),
        prev,
        hash,
      );
      return { seq, hash: hex(hash) };
    });
  }

  /** Charges so far. */
  size(): number {
    return (this.state.db.prepare('SELECT count(*) AS n FROM ledger').get() as { n: number }).n;
  }
}
