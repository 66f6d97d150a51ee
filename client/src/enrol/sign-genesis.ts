import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hex, publicKeyOf } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  parseStrict,
  type SignedRoster,
  signedRosterSchema,
  verifyInForce,
  verifyRoster,
} from '@regulon/shared/plan';
import {
  type EntrySignature,
  signPayload,
  statementKeyName,
  verifyGenesisOfRoster,
} from '@regulon/shared/transparency';
import { loadSiteKeys } from './key-files.js';

/**
 * Sign the genesis of a federation with this site's identity key: only the one that the roster implies.
 *
 * @param folder state folder of the site
 * @param payloadFile bytes that every founder signs; `roster.json` lies beside it unless named
 * @param now ms since the epoch
 * @returns the signature to hand back
 * @throws E_ROSTER when the roster is not in force or does not list this site's keys, or the draft is another genesis
 */
export function signGenesis(
  folder: string,
  payloadFile: string,
  rosterFile?: string,
  now: number = Date.now(),
): EntrySignature {
  const payload = Uint8Array.from(read(payloadFile));
  const rosterPath = rosterFile ?? join(dirname(payloadFile), 'roster.json');
  const signed = parseStrict(signedRosterSchema, json(read(rosterPath), rosterPath), 'roster', 'E_ROSTER');
  return signGenesisPayload(folder, payload, signed, now);
}

/** As `signGenesis`, for bytes that were read. @param payload and @param signed attacker-controlled */
export function signGenesisPayload(
  folder: string,
  payload: Uint8Array,
  signed: SignedRoster,
  now: number,
): EntrySignature {
  const { identity, cosigner } = loadSiteKeys(folder);
  const roster = verifyRoster(signed);
  verifyInForce(roster, now);
  const [key, cosignerKey] = [hex(publicKeyOf(identity)), hex(publicKeyOf(cosigner))];
  const own = roster.members.find((member) => member.key === key);
  if (own?.cosignerKey !== cosignerKey) {
    throw new RegulonError(
      'E_ROSTER',
      `the roster of ${roster.federationId} does not list the keys of this site`,
    );
  }
  const { origin } = verifyGenesisOfRoster(payload, signed);
  return signPayload(payload, { keyName: statementKeyName(origin, 'site', own.name), seed: identity });
}

function read(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new RegulonError('E_ARGUMENT', `${path} cannot be read`, { cause });
  }
}

function json(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw new RegulonError('E_ARGUMENT', `${path} is not JSON`);
  }
}
