import { type FederationKeys, oldSigners } from '@regulon/shared/transparency';
import type { SiteState } from '../state/index.js';
import { RosterVersions } from './roster-versions.js';

const CHANGES = "kind IN ('member.join', 'member.revoke', 'key.rotate')";

/**
 * Under which keys an entry or a checkpoint stands: the rosters that this site pinned, put in force one by one by the
 * entries of the log. The log alone changes nothing.
 */
export class LogKeys extends RosterVersions {
  /** @param versions keys and terms of each roster that this site pinned, oldest first */
  constructor(
    private readonly state: SiteState,
    versions: readonly FederationKeys[],
  ) {
    super(versions);
  }

  /** How many changes of the membership the entries before this index hold. */
  countBefore(index: number): number {
    return this.changesIn(0, index).length;
  }

  /** Whether the roster pinned last is in force at this index. */
  isNewest(index: number): boolean {
    return this.countBefore(index) === this.versions.length - 1;
  }

  /** The keys under which an entry of this index is signed, and a checkpoint of this size cosigned. */
  at(index: number): FederationKeys {
    return this.after(this.countBefore(index));
  }

  /**
   * Whether those who cosigned a checkpoint are a quorum of its members and, when it is the first over a change, of the
   * members before that, too.
   *
   * @param before size of the largest smaller checkpoint with a quorum
   */
  isQuorum(size: number, before: number, signers: ReadonlyMap<string, unknown>): boolean {
    const all = this.changesIn(0, size);
    if (signers.size < this.after(all.length).genesis.quorum) return false;
    return all.every((index, i) => {
      const old = this.after(i);
      return index < before || oldSigners(old, signers) >= old.genesis.quorum;
    });
  }

  private changesIn(from: number, to: number): number[] {
    return this.state.db
      .prepare(
        `SELECT log_index FROM seen WHERE run IS NULL AND ${CHANGES} AND log_index >= ? AND log_index < ? ORDER BY 1`,
      )
      .pluck()
      .all(from, to) as number[];
  }
}
