import { equalBytes } from '@regulon/shared/crypto';
import {
  assembleEntry,
  isRole,
  type KeyHistory,
  type NamedSeed,
  parseEntry,
  signedPayloadOf,
  signPayload,
} from '@regulon/shared/transparency';
import type { LogRows } from './log-rows.js';

/** Whether some bytes may be an entry about a role, as canonical JSON spells it: no other entry is parsed for it. */
export const mayBeRole = (bytes: Uint8Array): boolean => Buffer.from(bytes).includes('"kind":"role.');

/** Take the roles that the log gives and takes, and forget all others. */
export function replayRoles(history: KeyHistory, rows: LogRows): void {
  history.last.roles.forget();
  const indexes = ['role.grant', 'role.revoke'].flatMap((kind) => rows.ofKind(kind));
  for (const index of indexes.sort((a, b) => a - b)) {
    const [bytes] = rows.entries(index, index + 1);
    const entry = bytes && parseEntry(bytes);
    if (entry && isRole(entry)) history.last.roles.take(entry, history.at(index), index);
  }
}

/**
 * An entry about a role with the coordinator's signature beside the steward's; every other entry as it is. What is in the log
 * already comes back as it stands there, so that repeating is harmless after the coordinator exchanged its key.
 *
 * @param bytes attacker-controlled; signatures are not checked here
 * @throws E_LOG_ENTRY when an entry about a role breaks its schema
 */
export function countersigned(bytes: Uint8Array, signer: NamedSeed, rows: LogRows): Uint8Array {
  if (!mayBeRole(bytes)) return bytes;
  const entry = parseEntry(bytes);
  if (!isRole(entry)) return bytes;
  const payload = signedPayloadOf(bytes, entry);
  const index = rows.indexOfSeq(entry);
  const [known] = index === undefined ? [] : rows.entries(index, index + 1);
  if (known && equalBytes(signedPayloadOf(known, parseEntry(known)), payload)) return known;
  const own = signPayload(payload, signer);
  return assembleEntry(payload, [...entry.sigs.filter(({ key }) => key !== own.key), own]);
}
