import { equalBytes, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  entryHash,
  type FederationKeys,
  isChange,
  isConsent,
  type LogEntry,
  parseEntry,
  verifyEntry,
} from '@regulon/shared/transparency';
import type { Outbox } from '../state/index.js';
import type { CompactTree } from './compact-tree.js';
import type { LogKeys } from './log-keys.js';
import type { FollowLimits, LogSource } from './log-source.js';
import type { PrunedStart } from './pruned-start.js';
import type { PlacedEntry, SeenEntries } from './seen-entries.js';

/** Whose log is followed, and by whom. */
export interface FollowedFederation {
  /** in force now */
  readonly keys: FederationKeys;
  /** keys and terms of each roster that this site pinned, oldest first; by default those in force alone */
  readonly versions?: readonly FederationKeys[];
  readonly genesis: Uint8Array;
  /** name of this site */
  readonly site: string;
}

/** Entries fetched at once. */
const BATCH = 256;

/** What an advance needs of the site. */
export interface AdvanceParts {
  readonly federation: FollowedFederation;
  readonly outbox: Outbox;
  readonly seen: SeenEntries;
  readonly keys: LogKeys;
  readonly source: LogSource;
  readonly limits: FollowLimits;
}

/** The way from the last checkpoint to a new one: every entry is checked as it arrives, nothing counts before the root. */
export class LogAdvance {
  /** number of an own entry → position, for the entries passed */
  readonly places = new Map<number, number>();
  /** where reading began */
  private from: number;
  private passed: PrunedStart | undefined;
  /** number of the next own entry */
  private next: number;
  /** entries to keep that are not written yet */
  private kept: readonly PlacedEntry[] = [];
  /** bytes of all entries to keep */
  private bytes = 0;
  /** number of the last word on consent of each who may say one */
  private readonly words: Map<string, number>;
  /** changes of the membership so far */
  private changes: number;

  /** @param grown tree of the last checkpoint; it grows with every entry */
  constructor(
    private readonly parts: AdvanceParts,
    private grown: CompactTree,
  ) {
    this.from = grown.size;
    this.words = parts.seen.lastConsents();
    this.changes = parts.keys.countBefore(grown.size);
    this.next = parts.outbox.nextInLog();
  }

  /** Over every entry passed so far. */
  get tree(): CompactTree {
    return this.grown;
  }

  /** The baseline in whose place entries were missing on this way. */
  get prunedStart(): PrunedStart | undefined {
    return this.passed;
  }

  /**
   * Pass over entries that were pruned: what the baseline repeats of them is taken as if it had been read.
   *
   * @param start judged, and continuing what was read so far
   * @throws E_FORK, E_QUARANTINE, E_LOG_ENTRY as the entries themselves would
   */
  pass(start: PrunedStart): void {
    this.stageRest();
    const kept: PlacedEntry[] = [];
    for (const { index, entry, bytes } of start.repeated) {
      if (index >= this.tree.size && this.take(index, entry, bytes, false))
        kept.push({ index, entry, bytes });
    }
    this.passOwn(start);
    this.kept = kept;
    this.passed = start;
    this.grown = start.tree.copy();
    this.from = start.tree.size;
  }

  /** Own entries among those that went: all of them are known here, and none that was shown before is missing. */
  private passOwn({ state, headHashes, places }: PrunedStart): void {
    const { federation, outbox } = this.parts;
    const head = state.heads.find(({ type, id }) => type === 'site' && id === federation.site);
    const last = head?.seq ?? -1;
    if (last < this.next - 1)
      throw new RegulonError(
        'E_FORK',
        `the log was pruned as if entry ${last + 1} of this site were not there`,
      );
    if (head) outbox.verifyOwn(head.seq, headHashes.get(head.index) ?? new Uint8Array(0));
    for (; this.next <= last; this.next += 1) {
      const index = places.get(hex(outbox.at(this.next)?.hash ?? new Uint8Array(0)));
      if (index === undefined)
        throw new RegulonError(
          'E_FORK',
          `entry ${this.next} of this site is not among those that were pruned`,
        );
      this.places.set(this.next, index);
    }
  }

  /**
   * Read up to a claimed size.
   *
   * @throws E_VERIFY when that is more than this site reads at once
   * @throws E_FORK when the log lacks an entry, has another genesis, or shows own entries out of their order
   * @throws E_QUARANTINE when it holds entries of this site that its database does not know; E_LOG_ENTRY
   */
  async to(size: number): Promise<void> {
    if (size - this.from > this.parts.limits.entries) throw this.tooMuch(size);
    if (this.passed === undefined) this.parts.seen.dropUnverified();
    while (this.tree.size < size) await this.readBatch(size);
  }

  /** Write what is not written yet. */
  stageRest(): void {
    this.parts.seen.stage(this.kept);
    this.kept = [];
  }

  private async readBatch(size: number): Promise<void> {
    const from = this.tree.size;
    const to = Math.min(from + BATCH, size);
    const batch = await this.parts.source.entries(from, to);
    if (batch.length === 0) throw new RegulonError('E_FORK', `the log does not show its entry ${from}`);
    const kept: PlacedEntry[] = [];
    for (const bytes of batch.slice(0, to - from)) {
      const index = this.tree.size;
      const entry = this.inspect(index, bytes);
      if (entry) kept.push({ index, entry, bytes });
      this.tree.append(entryHash(bytes));
    }
    this.bytes += kept.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (this.bytes > this.parts.limits.bytes) throw this.tooMuch(size);
    this.stageRest();
    this.kept = kept;
  }

  /** Check one entry; @returns it when this site will need it */
  private inspect(index: number, bytes: Uint8Array): LogEntry | undefined {
    const { federation, outbox } = this.parts;
    if (index === 0 && !equalBytes(bytes, federation.genesis)) {
      throw new RegulonError('E_FORK', 'entry 0 of the log is not the genesis that this site signed');
    }
    const entry = parseEntry(bytes);
    const own = entry.actor.type === 'site' && entry.actor.id === federation.site;
    if (own) {
      this.verifySigned(index, entry, bytes);
      outbox.verifyOwn(entry.seq, entryHash(bytes));
      if (entry.seq !== this.next)
        throw new RegulonError('E_FORK', `the log shows entry ${entry.seq} of this site out of its order`);
      this.places.set(entry.seq, index);
      this.next += 1;
    }
    return this.take(index, entry, bytes, own);
  }

  /** @param isVerified whether its signatures were verified before @returns it when this site will need it */
  private take(index: number, entry: LogEntry, bytes: Uint8Array, isVerified: boolean): LogEntry | undefined {
    const { seen } = this.parts;
    if (!seen.keeps(entry.kind)) return undefined;
    if (!isVerified) verifyEntry(entry, bytes, this.parts.keys.after(this.changes));
    if (isConsent(entry)) this.verifyLater(index, entry);
    if (isChange(entry)) {
      this.parts.keys.next(entry, this.changes);
      this.changes += 1;
    }
    return entry;
  }

  /** Words on consent count in the order in which they were said: an old one that comes again would lift a withdrawal. */
  private verifyLater(index: number, { actor, seq }: LogEntry): void {
    const who = `${actor.type} ${actor.id}`;
    const last = this.words.get(who);
    if (last !== undefined && seq <= last)
      throw new RegulonError(
        'E_FORK',
        `entry ${index} of the log is number ${seq} of ${who}, behind its number ${last}`,
      );
    this.words.set(who, seq);
  }

  /** An entry in this site's name that its key did not sign is the log's forgery, not a restored database. */
  private verifySigned(index: number, entry: LogEntry, bytes: Uint8Array): void {
    try {
      verifyEntry(entry, bytes, this.parts.keys.after(this.changes));
    } catch (cause) {
      throw new RegulonError(
        'E_FORK',
        `entry ${index} of the log bears this site's name, not its signature`,
        {
          cause,
        },
      );
    }
  }

  private tooMuch(size: number): RegulonError {
    const { entries, bytes } = this.parts.limits;
    return new RegulonError(
      'E_VERIFY',
      `the checkpoint of size ${size} claims more behind ${this.from} than this site reads at once (${entries} entries, ${bytes} bytes)`,
    );
  }
}
