import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonicalJson, equalBytes, publicKeyOf, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict, rosterHashOf, signedRosterSchema, verifyRoster } from '@regulon/shared/plan';
import {
  digestText,
  type EntrySignature,
  type LogEntry,
  parseVkey,
  signPayload,
  statementKeyName,
} from '@regulon/shared/transparency';
import { loadSiteKeys } from './key-files.js';

type GenesisBody = Extract<LogEntry, { kind: 'federation.genesis' }>['body'];

/**
 * Sign the genesis of a federation with this site's identity key.
 *
 * @param folder state folder of the site
 * @param payloadFile bytes that every founder signs; `roster.json` lies beside it unless named
 * @returns the signature to hand back
 * @throws E_ROSTER when the draft names another roster, or not this site's key
 */
export function signGenesis(folder: string, payloadFile: string, rosterFile?: string): EntrySignature {
  const { identity } = loadSiteKeys(folder);
  const payload = Uint8Array.from(read(payloadFile));
  const draft = json(payload, payloadFile) as { kind?: unknown; body?: Partial<GenesisBody> };
  const refuse = (what: string): never => {
    throw new RegulonError('E_ROSTER', `the draft of the genesis ${what}`);
  };
  if (draft.kind !== 'federation.genesis' || !draft.body) return refuse('is no genesis');
  if (!equalBytes(utf8(canonicalJson(draft)), payload)) return refuse('is not canonical JSON');
  const rosterPath = rosterFile ?? join(dirname(payloadFile), 'roster.json');
  const signed = parseStrict(signedRosterSchema, json(read(rosterPath), rosterPath), 'roster', 'E_ROSTER');
  const roster = verifyRoster(signed);
  if (draft.body.rosterHash !== digestText(rosterHashOf(roster))) return refuse('names another roster');
  const own = publicKeyOf(identity);
  const members = Array.isArray(draft.body.members) ? draft.body.members : [];
  const member = members.find((m) => equalBytes(parseVkey(m.statement).publicKey, own));
  if (!member || !roster.members.some((m) => m.name === member.name && m.id === member.id)) {
    return refuse('does not list the identity key of this site');
  }
  return signPayload(payload, {
    keyName: statementKeyName(draft.body.origin ?? '', 'site', member.name),
    seed: identity,
  });
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
