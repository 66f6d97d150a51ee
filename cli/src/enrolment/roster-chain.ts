import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { RegulonError } from '@regulon/shared/errors';
import {
  type Roster,
  ROSTER_CHANGES,
  rosterChangesSchema,
  type SignedRoster,
  signedRosterSchema,
  verifyRosterChain,
} from '@regulon/shared/plan';
import { readJsonFile } from '../files/index.js';
import type { FounderFolder } from './founder-folder.js';

/** The rosters of a federation, oldest first, verified. */
export interface RosterChain {
  readonly founding: SignedRoster;
  /** those that followed it */
  readonly changes: readonly SignedRoster[];
  /** each without its signatures */
  readonly rosters: readonly [Roster, ...Roster[]];
  readonly last: SignedRoster;
}

/** The rosters in a founder's folder. @throws E_ARGUMENT when the federation does not stand yet; E_ROSTER */
export function rosterChainOf(folder: FounderFolder): RosterChain {
  if (!existsSync(folder.rosterFile)) {
    throw new RegulonError('E_ARGUMENT', `${folder.root}: the federation does not stand yet`, {
      hint: 'let the administrators sign its first roster',
    });
  }
  return chainIn(folder.federation);
}

/**
 * The rosters in a public folder of a federation.
 *
 * @param pinnedHash digest of the last one, as a daemon pinned it
 * @throws E_ROSTER
 */
export function chainIn(folder: string, pinnedHash?: Uint8Array): RosterChain {
  const changesFile = join(folder, ROSTER_CHANGES);
  const founding = readJsonFile(join(folder, 'roster.json'), signedRosterSchema, 'E_ROSTER');
  const changes = existsSync(changesFile) ? readJsonFile(changesFile, rosterChangesSchema, 'E_ROSTER') : [];
  return chainOf(founding, changes, pinnedHash);
}

/** A chain of rosters. @throws E_ROSTER naming version and rule */
export function chainOf(
  founding: SignedRoster,
  changes: readonly SignedRoster[],
  pinnedHash?: Uint8Array,
): RosterChain {
  const rosters = verifyRosterChain([founding, ...changes], pinnedHash);
  return { founding, changes, rosters, last: changes.at(-1) ?? founding };
}

/** The roster that is in force. @throws E_ARGUMENT when the federation does not stand yet; E_ROSTER */
export const rosterInForce = (folder: FounderFolder): SignedRoster => rosterChainOf(folder).last;
