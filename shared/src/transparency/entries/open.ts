import { equalBytes, type SignatureCheck, verifyEd25519 } from '../../crypto/index.js';
import { preAuthenticationEncoding } from './dsse.js';
import { FederationKeys, type ResolveAttachment } from './federation-keys.js';
import { digestBytes } from './fields.js';
import { isRole } from './granted-roles.js';
import { entryHash, parseEntry, signedPayloadOf } from './parse.js';
import { entryRefused } from './rule-error.js';
import type { VerifierKey } from '../notes/vkey.js';
import type { LogEntry } from './schema.js';
import { type ChainHead, NO_PREVIOUS } from './seal.js';

/** An entry that was read and whose signatures verify. */
export interface OpenedEntry {
  readonly entry: LogEntry;
  /** SHA-256(0x00 ‖ bytes) */
  readonly hash: Uint8Array;
}

/**
 * Read an entry and check all its signatures.
 *
 * @param keys of the federation; undefined only for the genesis, which brings its own
 * @throws E_LOG_ENTRY with the broken row in `details.rule`
 */
export function openEntry(
  bytes: Uint8Array,
  keys: FederationKeys | undefined,
  resolve?: ResolveAttachment,
): OpenedEntry {
  const entry = parseEntry(bytes);
  verifyEntry(entry, bytes, keys, resolve);
  return { entry, hash: entryHash(bytes) };
}

/**
 * Check all signatures of an entry, and that it belongs to this federation.
 *
 * @param bytes from which `parseEntry` read the entry
 * @throws as `openEntry`
 */
export function verifyEntry(
  entry: LogEntry,
  bytes: Uint8Array,
  keys: FederationKeys | undefined,
  resolve?: ResolveAttachment,
): void {
  const genesis = entry.kind === 'federation.genesis';
  if (genesis !== (keys === undefined))
    throw entryRefused('L3', 'the first entry, and no other, is federation.genesis');
  if (keys !== undefined && entry.fed !== keys.fed)
    throw entryRefused('L3', `the entry belongs to ${entry.fed}`);
  verifySignatures(entry, bytes, keys ?? keysOfGenesis(entry, resolve));
}

/** The keys that a genesis entry fixes. @throws E_LOG_ENTRY if it is another kind or its keys are not acceptable */
export function keysOfGenesis(entry: LogEntry, resolve?: ResolveAttachment): FederationKeys {
  if (entry.kind !== 'federation.genesis') throw entryRefused('L3', 'entry 0 is not federation.genesis');
  return new FederationKeys(entry.fed, entry.body, resolve);
}

/**
 * Check that an entry continues the chain of its actor.
 *
 * @param head the actor's last entry, undefined before its first
 * @throws E_LOG_ENTRY: L3 for a gap, reuse or wrong `prev`; L4 when the time goes back
 */
export function verifyPosition(entry: LogEntry, head: ChainHead | undefined): void {
  const expected = head === undefined ? 0 : head.seq + 1;
  const who = `${entry.actor.type} ${entry.actor.id}`;
  if (entry.seq !== expected) {
    const ahead = entry.seq > expected;
    throw entryRefused(
      'L3',
      `the chain of ${who} has number ${entry.seq} where ${expected} is due`,
      { expected },
      ahead,
    );
  }
  const linked =
    head === undefined ? entry.prev === NO_PREVIOUS : equalBytes(digestBytes(entry.prev), head.hash);
  if (!linked)
    throw entryRefused('L3', `the chain of ${who} does not link to its entry ${expected - 1}`, { expected });
  if (head !== undefined && entry.at < head.at) throw entryRefused('L4', `the time of ${who} goes back`);
}

/**
 * Check the actor's key, the signers that the kind demands, and every signature.
 *
 * @param bytes from which `parseEntry` read the entry
 * @param holds verifies each signature
 * @throws E_LOG_ENTRY (L3; A1 when the role of who proposes a plan has ended)
 */
export function verifySignatures(
  entry: LogEntry,
  bytes: Uint8Array,
  keys: FederationKeys,
  holds: SignatureCheck = verifyEd25519,
): void {
  if (keyOfActor(entry, keys) === undefined)
    throw entryRefused('L3', `the key of ${entry.actor.type} ${entry.actor.id} is not one of the federation`);
  verifyRole(entry, entry.at, keys);
  const signed = new Set(entry.sigs.map((sig) => sig.key));
  for (const reference of requiredSigners(entry, keys)) {
    if (!signed.has(reference)) throw entryRefused('L3', `the signature of ${reference} is missing`);
  }
  const message = messageOf(entry, bytes);
  for (const { key, sig } of entry.sigs) {
    const signer = keys.find(key);
    if (signer === undefined) throw entryRefused('L3', `${key} is not a key of the federation`);
    if (!holds(signer.key.publicKey, message, bytesOf(sig)))
      throw entryRefused('L3', `the signature of ${key} does not verify`);
  }
}

/**
 * Check that a role had not ended when the log took an entry: who signs under an ended role may date it back.
 *
 * @param passed a time after which the log took the entry, by the coordinator's clock
 * @throws E_LOG_ENTRY (L3; A1 of who proposes a plan)
 */
export function verifyRoleAfter(entry: LogEntry, passed: string, keys: FederationKeys): void {
  if (keys.roles.find(entry.actor.key) === undefined) return;
  const since = Date.parse(passed) - 1000 * keys.genesis.skewSeconds;
  verifyRole(entry, new Date(since).toISOString(), keys);
}

function verifyRole({ actor, kind }: LogEntry, at: string, { roles }: FederationKeys): void {
  const ended = roles.endOf(actor.key, at);
  if (ended !== undefined)
    throw entryRefused(
      kind === 'plan.propose' ? 'A1' : 'L3',
      `the role of ${actor.type} ${actor.id} ${ended}`,
    );
}

/**
 * Whether the actor of an entry signed it, whoever else did or should have.
 *
 * @param bytes from which `parseEntry` read the entry
 */
export function isSignedByActor(entry: LogEntry, bytes: Uint8Array, keys: FederationKeys): boolean {
  const own = entry.sigs.find(({ key }) => key === entry.actor.key);
  const key = keyOfActor(entry, keys);
  return (
    key !== undefined &&
    own !== undefined &&
    verifyEd25519(key.publicKey, messageOf(entry, bytes), bytesOf(own.sig))
  );
}

const messageOf = (entry: LogEntry, bytes: Uint8Array): Uint8Array =>
  preAuthenticationEncoding(signedPayloadOf(bytes, entry));

const bytesOf = (sig: string): Uint8Array => Uint8Array.from(Buffer.from(sig, 'base64'));

function keyOfActor({ actor: { type, id, key } }: LogEntry, keys: FederationKeys): VerifierKey | undefined {
  const actor = keys.find(key);
  return actor?.type === type && actor.id === id ? actor.key : undefined;
}

function requiredSigners(entry: LogEntry, keys: FederationKeys): string[] {
  const references = [entry.actor.key];
  const referenceOf = (vkey: string): string => vkey.split('+', 2).join('+');
  if (entry.kind === 'federation.genesis')
    references.push(...keys.members.map((m) => referenceOf(m.statement)));
  if (isRole(entry)) references.push(referenceOf(keys.genesis.coordinatorKey));
  if (entry.kind === 'dataset.commit' && (entry.body.public || entry.body.simulated)) {
    const own = keys.members.filter((member) => member.name === entry.actor.id);
    references.push(...own.map(({ steward }) => referenceOf(steward)));
  }
  return references;
}
