import type { Federation } from '@regulon/client/policy';
import { CompactTree, type PrunedStart } from '@regulon/client/witness';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ChainHead,
  type Checkpoint,
  entryHash,
  headOf,
  isChange,
  isRole,
  type Kind,
  type LogEntry,
  openEntry,
  parseEntry,
  verifyPosition,
} from '@regulon/shared/transparency';

/** Whose log is read. */
export type LogFederation = Pick<Federation, 'keys' | 'versions' | 'genesis'>;

/** How far a log has come. */
export type LogState = Pick<Checkpoint, 'size' | 'root'>;

/** An entry of the log whose signatures were checked, and where it stands. */
export interface LoggedEntry<K extends Kind = Kind> {
  readonly index: number;
  readonly hash: Uint8Array;
  readonly entry: LogEntry<K>;
}

/** A state of the log that its entries must give. */
type Expected = LogState & { readonly what: string };

/** Takes the entries of a log one after the other, and checks each. */
export class Reading {
  private readonly log: LoggedEntry[] = [];
  private readonly heads = new Map<string, ChainHead>();
  private tree = CompactTree.empty();
  private changes = 0;

  /** @param states that the log must pass through */
  constructor(
    private readonly federation: LogFederation,
    private readonly states: readonly Expected[],
  ) {}

  /** Entries so far, those that were pruned included. */
  get size(): number {
    return this.tree.size;
  }

  /**
   * Begin behind entries that were pruned.
   *
   * @param start judged
   * @param held the state that it was found to continue, where it is none behind it
   * @throws E_FORK when it lies behind another state; E_LOG_ENTRY
   */
  begin({ repeated, state, tree, headHashes }: PrunedStart, held: LogState): void {
    for (const { size, root, what } of this.states)
      if (size <= tree.size && !(size === held.size && equalBytes(root, held.root))) throw unlike(what, size);
    for (const { index, bytes } of repeated) this.log.push(this.open(index, bytes));
    for (const { type, id, seq, index } of state.heads)
      this.heads.set(`${type} ${id}`, { seq, hash: headHashes.get(index) ?? new Uint8Array(0), at: '' });
    this.tree = tree.copy();
  }

  /** Take the next entry. @throws E_FORK, E_LOG_ENTRY */
  add(bytes: Uint8Array): void {
    const index = this.size;
    if (index === 0 && !equalBytes(bytes, this.federation.genesis))
      throw forked('entry 0 is not the one that this site signed');
    const logged = this.open(index, bytes);
    const who = `${logged.entry.actor.type} ${logged.entry.actor.id}`;
    verifyPosition(logged.entry, this.heads.get(who));
    this.heads.set(who, headOf(bytes));
    this.log.push(logged);
    this.tree.append(logged.hash);
    for (const { size, root, what } of this.states)
      if (size === this.size && !equalBytes(this.tree.root(), root)) throw unlike(what, size);
  }

  /** @returns what was read @throws E_FORK when it ends before a state that it must pass through */
  end(): LoggedEntry[] {
    for (const { size, what } of this.states) if (size > this.size) throw unlike(what, size);
    return this.log;
  }

  /** Signatures under the roster that is in force here; entry 0 was checked when the federation was loaded. */
  private open(index: number, bytes: Uint8Array): LoggedEntry {
    const { keys, versions } = this.federation;
    const inForce = versions[this.changes] ?? keys;
    const entry: LogEntry = index === 0 ? parseEntry(bytes) : openEntry(bytes, inForce).entry;
    if (isRole(entry)) inForce.roles.take(entry, inForce, index);
    if (isChange(entry)) this.changes += 1;
    return { index, hash: entryHash(bytes), entry };
  }
}

const unlike = (what: string, size: number): RegulonError =>
  forked(`${what}, of size ${size}, does not follow from its entries`);

function forked(what: string): RegulonError {
  return new RegulonError('E_FORK', `the log that the coordinator shows: ${what}`);
}
