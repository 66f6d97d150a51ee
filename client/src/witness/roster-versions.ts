import { RegulonError } from '@regulon/shared/errors';
import type { ChangeKind, FederationKeys, LogEntry } from '@regulon/shared/transparency';

/** The rosters that this site pinned, by the number of changes before each. The log puts them in force, and adds none. */
export class RosterVersions {
  /** @param versions keys and terms of each roster, oldest first */
  constructor(protected readonly versions: readonly FederationKeys[]) {}

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
}
