import {
  type BodyOf,
  type ConsentEntry,
  isConsent,
  type LogEntry,
  parseEntry,
  Withdrawals,
} from '@regulon/shared/transparency';
import type { SiteState } from '../state/index.js';

/** Kinds that this site looks up later. */
const KEPT = new Set<LogEntry['kind']>([
  ...(['dataset.commit', 'run.start', 'run.finish', 'round.open', 'round.aggregate', 'round.abort'] as const),
  ...(['round.ack', 'round.reopen', 'member.join', 'member.revoke', 'key.rotate'] as const),
  ...(['dataset.withdraw', 'plan.approve', 'plan.reject', 'plan.withdraw', 'log.baseline'] as const),
  'policy.override',
]);

/** An entry with its place. */
export interface PlacedEntry {
  readonly index: number;
  readonly entry: LogEntry;
  readonly bytes: Uint8Array;
}

/** An entry of one kind with its place. */
export interface PlacedOf<K extends LogEntry['kind']> {
  readonly index: number;
  readonly entry: Extract<LogEntry, { kind: K }>;
}

/**
 * Entries of the log that this site looks up later. They are written as they arrive, so that a long log takes no
 * memory, and count only below the size of the last verified checkpoint.
 */
export class SeenEntries {
  private commits: Map<string, BodyOf<'dataset.commit'>> | undefined;
  private consents: Withdrawals | undefined;
  /** whether rows may lie behind the verified part; a stopped process may have left some */
  private dirty = true;

  /** @param verified size of the last verified checkpoint */
  constructor(
    private readonly state: SiteState,
    private readonly verified: () => number,
  ) {}

  /** Whether entries of this kind are kept. */
  keeps(kind: LogEntry['kind']): boolean {
    return KEPT.has(kind);
  }

  /** Write entries behind the verified part of the log. */
  stage(entries: readonly PlacedEntry[]): void {
    if (entries.length === 0) return;
    this.dirty = true;
    this.state.transactSoon('witness', () => {
      const insert = this.state.db.prepare('INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)');
      for (const { index, entry, bytes } of entries) {
        insert.run(index, entry.kind, entry.run ?? null, entry.round ?? null, entry.attempt ?? null, bytes);
      }
    });
  }

  /** Remove what was written behind the verified part. */
  dropUnverified(): void {
    if (!this.dirty) return;
    this.state.transactSoon('witness', () =>
      this.state.db.prepare('DELETE FROM seen WHERE log_index >= ?').run(this.verified()),
    );
    this.dirty = false;
  }

  /** Everything that was written is verified now. */
  grown(): void {
    this.dirty = false;
    this.commits = undefined;
    this.consents = undefined;
  }

  /** @param below only entries before this position count, and before the end of the verified part */
  has(kind: LogEntry['kind'], run: string, round: number | null, below: number): boolean {
    return this.rows(kind, run, round, 1, below).length > 0;
  }

  /**
   * The first entries of this kind and place, in order.
   *
   * @param most entries wanted
   */
  bodies<K extends LogEntry['kind']>(kind: K, run: string, round: number | null, most: number): BodyOf<K>[] {
    return this.rows(kind, run, round, most).flatMap((row) => {
      const entry = entryOf(row);
      return entry.kind === kind ? [entry.body as BodyOf<K>] : [];
    });
  }

  /** Kept entries of a kind about a run, in order, from a position on. */
  since<K extends LogEntry['kind']>(kind: K, run: string, from: number): PlacedOf<K>[] {
    const rows = this.state.db
      .prepare(
        `SELECT log_index, bytes FROM seen
         WHERE kind = ? AND run = ? AND log_index >= ? AND log_index < ? ORDER BY log_index`,
      )
      .all(kind, run, from, this.verified()) as (Row & { log_index: number })[];
    return rows.flatMap((row) => {
      const entry = entryOf(row);
      return entry.kind === kind ? [{ index: row.log_index, entry: entry as PlacedOf<K>['entry'] }] : [];
    });
  }

  /** What coordinators and sites say of the first entries in short, in order. */
  baselines(): LogEntry<'log.baseline'>[] {
    const rows = this.state.db
      .prepare(
        "SELECT bytes FROM seen WHERE run IS NULL AND kind = 'log.baseline' AND log_index < ? ORDER BY log_index",
      )
      .all(this.verified()) as Row[];
    return rows.map(entryOf).filter((entry) => entry.kind === 'log.baseline');
  }

  /** Every kept entry of a run, in order. */
  ofRun(run: string): LogEntry[] {
    const rows = this.state.db
      .prepare('SELECT bytes FROM seen WHERE run = ? AND log_index < ? ORDER BY log_index')
      .all(run, this.verified()) as Row[];
    return rows.map(entryOf);
  }

  /** The newest commitment of a site to a dataset. */
  latestCommit(site: string, dataset: string): BodyOf<'dataset.commit'> | undefined {
    this.commits ??= this.readCommits();
    return this.commits.get(`${site}/${dataset}`);
  }

  /** Exceptions from the policy of a site. */
  overridesOf(site: string): BodyOf<'policy.override'>[] {
    const rows = this.state.db
      .prepare(
        "SELECT bytes FROM seen WHERE run IS NULL AND kind = 'policy.override' AND log_index < ? ORDER BY log_index",
      )
      .all(this.verified()) as Row[];
    const isOwn = (entry: LogEntry): entry is LogEntry<'policy.override'> =>
      entry.kind === 'policy.override' && entry.actor.id === site;
    return rows
      .map(entryOf)
      .filter(isOwn)
      .map(({ body }) => body);
  }

  /** What stewards have taken back. */
  withdrawals(): Withdrawals {
    this.consents ??= Withdrawals.of(this.consentEntries());
    return this.consents;
  }

  /** Number of the last word on consent of each who said one, by `type id`. */
  lastConsents(): Map<string, number> {
    return new Map(this.consentEntries().map(({ actor, seq }) => [`${actor.type} ${actor.id}`, seq]));
  }

  private consentEntries(): ConsentEntry[] {
    const rows = this.state.db
      .prepare('SELECT bytes FROM seen WHERE run IS NULL AND log_index < ? ORDER BY log_index')
      .all(this.verified()) as Row[];
    return rows.map(entryOf).filter(isConsent);
  }

  private readCommits(): Map<string, BodyOf<'dataset.commit'>> {
    const rows = this.state.db
      .prepare(
        "SELECT bytes FROM seen WHERE run IS NULL AND kind = 'dataset.commit' AND log_index < ? ORDER BY log_index",
      )
      .all(this.verified()) as Row[];
    const found = new Map<string, BodyOf<'dataset.commit'>>();
    for (const row of rows) {
      const entry = entryOf(row);
      if (entry.kind === 'dataset.commit') found.set(`${entry.actor.id}/${entry.body.dataset}`, entry.body);
    }
    return found;
  }

  private rows(
    kind: LogEntry['kind'],
    run: string,
    round: number | null,
    most: number,
    below = Infinity,
  ): Row[] {
    const where = 'kind = ? AND run = ? AND round IS ? AND log_index < ?';
    return this.state.db
      .prepare(`SELECT bytes FROM seen WHERE ${where} ORDER BY log_index LIMIT ?`)
      .all(kind, run, round, Math.min(below, this.verified()), most) as Row[];
  }
}

interface Row {
  readonly bytes: Buffer;
}

function entryOf({ bytes }: Row): LogEntry {
  return parseEntry(Uint8Array.from(bytes));
}
