import { RegulonError } from '@regulon/shared/errors';
import {
  type ChangeKind,
  type FederationKeys,
  type LogEntry,
  oldSigners,
} from '@regulon/shared/transparency';
import type { SiteState } from '../state/index.js';

const CHANGES = "kind IN ('member.join', 'member.revoke', 'key.rotate')";

/**
 * Under which keys an entry or a checkpoint stands: the rosters that this site pinned, put in force one by one by the
 * entries of the log. The log alone changes nothing.
 */
export class LogKeys {
  /** @param versions keys and terms of each roster that this site pinned, oldest first */
  constructor(
    private readonly state: SiteState,
    private readonly versions: readonly FederationKeys[],
  ) {}

  /** How many changes of the membership the entries before this index hold. */
  countBefore(index: number): number {
    return this.changesIn(0, index).length;
  }

  /** Whether the roster pinned last is in force at this index. */
  isNewest(index: number): boolean {
    return this.countBefore(index) === this.versions.length - 1;
  }

  /** Keys and terms after so many changes. @throws E_ROSTER when this site has not installed that roster */
  after(changes: number): FederationKeys {
    const keys = this.versions[changes];
    if (keys !== undefined) return keys;
    throw new RegulonError(
      'E_ROSTER',
      `the log takes roster version ${changes + 1}, this site has installed version ${this.versions.length}`,
      { hint: '`regulon site install` with the newest file of the founder, then restart the daemon' },
    );
  }

  /** The keys under which an entry of this index is signed, and a checkpoint of this size cosigned. */
  at(index: number): FederationKeys {
    return this.after(this.countBefore(index));
  }

  /**
   * The keys after one more change.
   *
   * @param changes how many there were before it
   * @throws E_ROSTER when it brings another roster than the one that this site pinned
   */
  next(entry: LogEntry<ChangeKind>, changes: number): FederationKeys {
    const keys = this.after(changes + 1);
    if (keys.genesis.rosterHash === entry.body.rosterHash) return keys;
    throw new RegulonError(
      'E_ROSTER',
      `the log takes another roster as version ${changes + 2} than the one that this site has installed`,
      { hint: 'tell the administrators: they were asked to sign two rosters of one version' },
    );
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
