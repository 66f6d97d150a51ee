import { canonicalJson, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Charge,
  FIRST_LINK,
  linkOf,
  mostSpent,
  spendingOf,
  type ChargedEvent,
  type PrivacyBudget,
  type StoredCharge,
  verifyLedger,
  verifyWithinBudget,
} from '@regulon/shared/privacy';
import { LedgerAnchor } from './ledger-anchor.js';
import { plain } from './run-journal.js';
import type { SiteState } from './site-state.js';

/** A clock may be corrected by this much without being set back. */
const CLOCK_SLACK_MS = 300_000;

/** A release that is about to leave, with what is done to the data. */
export type LedgerEvent = Omit<Charge, 'seq'>;

/** What a ledger works with beside its database. */
export interface LedgerOptions {
  /** what the dataset may cost, by the policy of the site; without one releases are only recorded */
  readonly budget?: PrivacyBudget | undefined;
  /** milliseconds since the epoch */
  readonly now?: () => number;
  /** number of a charge that the people of the site know to be dated ahead, by a clock that was wrong */
  readonly datedAhead?: number | undefined;
}

/**
 * Append-only, hash-chained record of every release, durable before the release leaves; nothing is ever taken back.
 *
 * Its head is also kept outside the database: a ledger that was edited, cut or exchanged for an older one does not lead
 * to that head. The anchor follows the database, so a crash between the two leaves the ledger ahead, never behind.
 */
export class Ledger {
  private readonly anchor: LedgerAnchor;
  private readonly budget: PrivacyBudget | undefined;
  private readonly now: () => number;
  private readonly datedAhead: number | undefined;

  /** @throws E_LEDGER naming the charge that was edited, or what is missing */
  constructor(
    private readonly state: SiteState,
    { budget, now = Date.now, datedAhead }: LedgerOptions = {},
  ) {
    [this.budget, this.now, this.datedAhead] = [budget, now, datedAhead];
    this.anchor = LedgerAnchor.open(state.paths.anchor);
    this.settle();
  }

  /**
   * Charge a release; the same attempt, and the same bytes of a round, are charged once. After its transaction is
   * durable, `settle` anchors it.
   *
   * @returns number of the charge, from 0, and its link in the chain, hexadecimal
   * @throws E_BUDGET when the policy does not allow it, E_CLOCK when the clock was set back, E_LEDGER; then nothing was
   * charged. E_DISK_FULL, E_STATE_DB
   */
  charge({ dataset, run, round, attempt, event }: LedgerEvent): { seq: number; hash: string } {
    return this.state.transact('ledger', () => {
      const { charges, rows } = this.verified();
      const ofRound = charges.filter((charge) => isOf(charge, { run, round }));
      const ofAttempt = ofRound.find((charge) => charge.attempt === attempt);
      const known = ofRound.find((charge) => releases(charge.event, event)) ?? ofAttempt;
      if (known === ofAttempt && ofAttempt && !isSame(ofAttempt.event, event))
        throw new RegulonError(
          'E_LEDGER',
          `attempt ${attempt} of round ${round} was charged for another release: no second one leaves`,
        );
      const row = known && rows[known.seq];
      if (row) return { seq: row.seq, hash: hex(row.hash) };
      this.verifyAllowed({ dataset, event }, charges);
      const prev = rows.at(-1)?.hash ?? FIRST_LINK;
      const at = Math.max(this.now(), charges.at(-1)?.event.at ?? 0);
      const charge = { seq: rows.length, dataset, run, round, attempt, event: { ...event, at } };
      const hash = linkOf(prev, charge);
      this.state.db
        .prepare('INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
        .run(charge.seq, dataset, run, round, attempt, canonicalJson(charge.event), prev, hash);
      return { seq: charge.seq, hash: hex(hash) };
    });
  }

  /**
   * Refuse a release that could not be charged, before anything is trained for it.
   *
   * @throws E_BUDGET, E_CLOCK, E_LEDGER
   */
  verifyAffordable(release: Pick<LedgerEvent, 'dataset' | 'event' | 'run' | 'round'>): void {
    const { charges } = this.verified();
    if (charges.some((charge) => isOf(charge, release) && releases(charge.event, release.event))) return;
    this.verifyAllowed(release, charges);
  }

  /** What a dataset has cost at most before a charge and after it, ε at the δ of the budget; undefined without a budget. */
  spentAround({
    dataset,
    seq,
  }: Pick<Charge, 'dataset' | 'seq'>): { before: number; after: number } | undefined {
    if (!this.budget) return undefined;
    const { delta, epsilon } = this.budget;
    const own = this.list(dataset).filter((charge) => charge.seq <= seq);
    const spent = (charges: readonly Charge[]): number => {
      const most = mostSpent(charges, delta);
      return most <= epsilon ? most : spendingOf(charges, delta).epsilon;
    };
    return { before: spent(own.slice(0, -1)), after: spent(own) };
  }

  /** Anchor what is durable. MUST run after the transaction of a charge and before its release leaves. */
  settle(): void {
    this.anchor.write(this.verified().head);
  }

  /** All charges of a dataset, or of all. @throws E_LEDGER */
  list(dataset?: string): Charge[] {
    const { charges } = this.verified();
    return dataset === undefined ? charges : charges.filter((charge) => charge.dataset === dataset);
  }

  /** Charges so far. */
  size(): number {
    return this.list().length;
  }

  private verifyAllowed({ dataset, event }: Pick<LedgerEvent, 'dataset' | 'event'>, charges: Charge[]): void {
    this.verifyClock(charges);
    const own = charges.filter((charge) => charge.dataset === dataset);
    if (this.budget) verifyWithinBudget(own, event, this.budget);
  }

  /** Nothing that was spent depends on the dates: to pass over a wrong one never makes room in a budget. */
  private verifyClock(charges: readonly Charge[]): void {
    const last = charges.at(-1)?.event.at ?? 0;
    if (this.now() >= last - CLOCK_SLACK_MS) return;
    // later charges took over its date
    const seq = charges.find(({ event }) => event.at === last)?.seq;
    if (seq === this.datedAhead) return;
    const date = new Date(last).toISOString();
    throw new RegulonError(
      'E_CLOCK',
      `the clock of this site is behind charge ${seq} of its own privacy ledger, of ${date}: it was set back`,
      {
        hint: `set the clock; if charge ${seq} was dated by a clock that was ahead, write \`ledger: { datedAhead: ${seq} }\` into the configuration of the daemon and start it again`,
      },
    );
  }

  private verified() {
    const rows = storedCharges(this.state.db);
    return { rows, ...verifyLedger(rows, this.anchor.head) };
  }
}

const isOf = (charge: Charge, { run, round }: Pick<Charge, 'run' | 'round'>): boolean =>
  charge.run === run && charge.round === round;

/** Whether nothing differs but the date, and the count of units, which only the first charge of a run has. */
function isSame(a: ChargedEvent, b: ChargedEvent): boolean {
  const of = (event: ChargedEvent): string =>
    canonicalJson({ ...event, at: 0, ...(event.mechanism === 'gaussian' ? { counted: '' } : {}) });
  return of(a) === of(b);
}

/** Whether both events release the very same bytes. */
function releases(a: ChargedEvent, b: ChargedEvent): boolean {
  const of = (event: ChargedEvent): string | undefined =>
    event.mechanism === 'gaussian' ? event.release : undefined;
  return of(a) !== undefined && of(a) === of(b);
}

/** The rows of a ledger in their order. */
export function storedCharges(db: SiteState['db']): StoredCharge[] {
  const rows = db.prepare('SELECT * FROM ledger ORDER BY seq').all() as StoredCharge[];
  return rows.map((row) => ({ ...row, prev: plain(row.prev), hash: plain(row.hash) }));
}
