import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { equalBytes, fromHex, hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  parseStrict,
  type Roster,
  rosterHashOf,
  type RosterMember,
  signedRosterSchema,
  verifyRoster,
} from '@regulon/shared/plan';
import type { RosterView } from '@regulon/shared/secagg';
import {
  digestText,
  type FederationKeys,
  openEntry,
  keysOfGenesis,
  parseEntry,
} from '@regulon/shared/transparency';

/** What the federation folder says, checked against what this site pinned. */
export interface Federation {
  readonly roster: Roster;
  readonly rosterView: RosterView;
  readonly own: RosterMember;
  /** keys that may sign entries, as entry 0 fixes them */
  readonly keys: FederationKeys;
  /** entry 0 of the log */
  readonly genesis: Uint8Array;
}

/**
 * Read and check the federation folder: roster.json and genesis.json.
 *
 * @param pinnedHash roster hash of this site's configuration, hexadecimal
 * @param identitySeed this site's own identity key; the roster must list its public half under this name
 * @throws E_CONFIG when a file cannot be read; E_ROSTER when it is not what this site pinned
 */
export function loadFederation(
  folder: string,
  site: string,
  pinnedHash: string,
  identitySeed: Uint8Array,
): Federation {
  const signed = parseStrict(signedRosterSchema, readJson(folder, 'roster.json'), 'roster', 'E_ROSTER');
  const roster = verifyRoster(signed, fromHex(pinnedHash, 32));
  const own = roster.members.find((member) => member.name === site);
  if (!own)
    throw new RegulonError('E_ROSTER', `the roster of ${roster.federationId} does not list site ${site}`);
  if (own.key !== hex(publicKeyOf(identitySeed))) {
    throw new RegulonError('E_ROSTER', `the roster lists another identity key for site ${site}`, {
      hint: 'point stateFolder to the folder in which this site was enrolled',
    });
  }
  const genesis = Uint8Array.from(readFile(folder, 'genesis.json'));
  return { roster, rosterView: rosterViewOf(roster), own, keys: verifyGenesis(genesis, roster), genesis };
}

/** The part of a roster that secure aggregation needs. */
export function rosterViewOf(roster: Roster): RosterView {
  return {
    federationId: roster.federationId,
    rosterHash: rosterHashOf(roster),
    coordinatorKey: fromHex(roster.coordinatorKey, 32),
    members: roster.members.map((m) => ({ id: m.id, key: fromHex(m.key, 32) })),
    M: roster.members.length,
  };
}

/** @throws E_ROSTER when entry 0 names another roster, other keys or another gate mode than the roster */
function verifyGenesis(bytes: Uint8Array, roster: Roster): FederationKeys {
  openEntry(bytes, undefined);
  const keys = keysOfGenesis(parseEntry(bytes));
  const refuse = (what: string): never => {
    throw new RegulonError('E_ROSTER', `the genesis of ${roster.federationId}: ${what}`);
  };
  const { genesis } = keys;
  if (genesis.rosterHash !== digestText(rosterHashOf(roster))) refuse('it names another roster');
  if (genesis.gateMode !== roster.policy.gateMode) refuse('it names another gate mode');
  for (const member of roster.members) {
    const named = keys.member(member.name);
    const site = named && keys.find(named.statement.split('+', 2).join('+'));
    const steward = named && keys.find(named.steward.split('+', 2).join('+'));
    const same = (key: Uint8Array | undefined, wanted: string): boolean =>
      key !== undefined && equalBytes(key, fromHex(wanted));
    if (!same(site?.key.publicKey, member.key) || !same(steward?.key.publicKey, member.stewardKey)) {
      refuse(`other keys for ${member.name}`);
    }
  }
  return keys;
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
