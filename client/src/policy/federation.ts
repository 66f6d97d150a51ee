import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  parseStrict,
  type Roster,
  ROSTER_CHANGES,
  rosterChangesSchema,
  rosterHashOf,
  type RosterMember,
  type SignedRoster,
  signedRosterSchema,
  verifyInForce,
  verifyRosterChain,
} from '@regulon/shared/plan';
import { rosterViewOf } from '@regulon/shared/program';
import type { RosterView } from '@regulon/shared/secagg';
import {
  type FederationKeys,
  KeyHistory,
  openEntry,
  parseEntry,
  signedPayloadOf,
  verifyGenesisOfRoster,
} from '@regulon/shared/transparency';

/** What the federation folder says, checked against what this site pinned. */
export interface Federation {
  readonly roster: Roster;
  readonly rosterView: RosterView;
  readonly own: RosterMember;
  /** keys that may sign entries under the roster in force */
  readonly keys: FederationKeys;
  /** keys and terms of each roster, from the founding to the one in force */
  readonly versions: readonly FederationKeys[];
  /** hashes of the rosters before the one in force, hexadecimal */
  readonly formerRosters: readonly string[];
  /** entry 0 of the log */
  readonly genesis: Uint8Array;
}

/**
 * Read and check the federation folder: roster.json, genesis.json and, once the roster has changed, roster-changes.json.
 *
 * @param pinnedHash roster hash of this site's configuration, hexadecimal
 * @param identitySeed this site's own identity key; the roster must list its public half under this name
 * @param now ms since the epoch
 * @throws E_CONFIG when a file cannot be read
 * @throws E_ROSTER when it is not what this site pinned or not in force, or the genesis not what the roster implies
 * @throws E_LOG_ENTRY when the coordinator or a member did not sign the genesis
 */
export function loadFederation(
  folder: string,
  site: string,
  pinnedHash: string,
  identitySeed: Uint8Array,
  now: number = Date.now(),
): Federation {
  const signed = parseStrict(signedRosterSchema, readJson(folder, 'roster.json'), 'roster', 'E_ROSTER');
  const changes = readChanges(folder);
  const rosters = verifyRosterChain([signed, ...changes], fromHex(pinnedHash, 32));
  const roster = rosters.at(-1) ?? rosters[0];
  verifyInForce(roster, now);
  const own = roster.members.find((member) => member.name === site);
  if (!own)
    throw new RegulonError('E_ROSTER', `the roster of ${roster.federationId} does not list site ${site}`);
  if (own.key !== hex(publicKeyOf(identitySeed))) {
    throw new RegulonError('E_ROSTER', `the roster lists another identity key for site ${site}`, {
      hint: 'point stateFolder to the folder in which this site was enrolled',
    });
  }
  const genesis = Uint8Array.from(readFile(folder, 'genesis.json'));
  const history = new KeyHistory(verifyGenesis(genesis, signed), rosters[0]);
  // which entries of the log put them in force is not known here
  for (const change of changes) history.append(change, Infinity);
  return {
    ...{
      roster,
      rosterView: rosterViewOf(roster),
      own,
      keys: history.last,
      versions: history.versions,
      genesis,
    },
    formerRosters: rosters.slice(0, -1).map((former) => hex(rosterHashOf(former))),
  };
}

/** Entry 0 is signed by everybody in it, and it is the one that the roster implies. */
function verifyGenesis(bytes: Uint8Array, signed: SignedRoster): FederationKeys {
  const payload = signedPayloadOf(bytes, parseEntry(bytes));
  const { keys, resolve } = verifyGenesisOfRoster(payload, signed);
  openEntry(bytes, undefined, resolve);
  return keys;
}

/** The rosters that followed the founding one; none before the first change. */
function readChanges(folder: string): SignedRoster[] {
  if (!existsSync(join(folder, ROSTER_CHANGES))) return [];
  return parseStrict(rosterChangesSchema, readJson(folder, ROSTER_CHANGES), 'roster changes', 'E_ROSTER');
}

function readJson(folder: string, name: string): unknown {
  try {
    return JSON.parse(readFile(folder, name).toString('utf8'));
  } catch (error) {
    if (error instanceof RegulonError) throw error;
    throw new RegulonError('E_CONFIG', `${join(folder, name)} is not JSON`);
  }
}

function readFile(folder: string, name: string): Buffer {
  try {
    return readFileSync(join(folder, name));
  } catch (cause) {
    throw new RegulonError('E_CONFIG', `${join(folder, name)} cannot be read`, { cause });
  }
}
