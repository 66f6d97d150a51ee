import { canonicalJsonBytes } from '../../crypto/index.js';
import { keyReference, KeyType, type NamedSeed, verifierKeyOf } from '../notes/vkey.js';
import { signPayload } from './dsse.js';
import { digestText } from './fields.js';
import { refuseIdentifiers } from './identifiers.js';
import type { ActorType, BodyOf, Kind, ScopeOf } from './kinds.js';
import { entryHash, parseEntry } from './parse.js';
import { entryRefused } from './rule-error.js';
import type { EntrySignature } from './schema.js';

/** `prev` of an actor's first entry. */
export const NO_PREVIOUS = digestText(new Uint8Array(32));

/** Position in an actor's own chain. */
export interface ChainPosition {
  readonly seq: number;
  readonly prev: string;
  readonly at: string;
}

/** Last entry of an actor: what its next one builds on. */
export interface ChainHead {
  readonly seq: number;
  /** entry hash, 32 bytes */
  readonly hash: Uint8Array;
  readonly at: string;
}

/** An entry before it is signed. */
export type EntryDraft<K extends Kind = Kind> = K extends Kind
  ? ScopeOf<K> &
      ChainPosition & {
        readonly kind: K;
        readonly fed: string;
        readonly actor: { readonly type: ActorType; readonly id: string };
        readonly body: BodyOf<K>;
      }
  : never;

/**
 * Where an actor's next entry stands. Its time never goes back, even when the clock does.
 *
 * @param head the actor's last entry, undefined before the first
 * @param now wall clock
 */
export function nextPosition(head: ChainHead | undefined, now: Date): ChainPosition {
  const at = now.toISOString();
  if (head === undefined) return { seq: 0, prev: NO_PREVIOUS, at };
  return { seq: head.seq + 1, prev: digestText(head.hash), at: at > head.at ? at : head.at };
}

/** The head after these entry bytes, which this actor wrote. */
export function headOf(bytes: Uint8Array): ChainHead {
  const { seq, at } = parseEntry(bytes);
  return { seq, hash: entryHash(bytes), at };
}

/**
 * Bytes that every signer of an entry signs; for entries that several parties sign at different places.
 *
 * @param actorKey reference of the acting party's key, see `keyReference`
 * @returns canonical JSON of the entry without `sigs`
 */
export function entryPayload(draft: EntryDraft, actorKey: string): Uint8Array {
  return canonicalJsonBytes({ v: 1, ...draft, actor: { ...draft.actor, key: actorKey } });
}

/**
 * Put signatures to a payload.
 *
 * @returns canonical JSON bytes of the entry, checked against its schema
 * @throws E_LOG_ENTRY if the result is no acceptable entry
 */
export function assembleEntry(payload: Uint8Array, signatures: readonly EntrySignature[]): Uint8Array {
  const unsigned: object = entryOf(payload);
  const sigs = [...signatures].sort((a, b) => (a.key < b.key ? -1 : 1));
  const bytes = canonicalJsonBytes({ ...unsigned, sigs });
  parseEntry(bytes);
  return bytes;
}

function entryOf(payload: Uint8Array): object {
  const value: unknown = JSON.parse(new TextDecoder().decode(payload));
  if (typeof value === 'object' && value !== null) return value;
  throw entryRefused('D1', 'the payload is no entry');
}

/**
 * Seal an entry whose signers are all here.
 *
 * @param signers the acting party's statement key first, then any others
 * @returns canonical JSON bytes with DSSE signatures
 * @throws E_LOG_ENTRY if the entry breaks its schema, is larger than 61,440 bytes or holds what looks like a person
 */
export function sealEntry(draft: EntryDraft, signers: readonly [NamedSeed, ...NamedSeed[]]): Uint8Array {
  refuseIdentifiers(draft);
  const [actor, ...others] = signers;
  const reference = keyReference(verifierKeyOf(actor, KeyType.statement));
  const payload = entryPayload(draft, reference);
  return assembleEntry(payload, [
    signPayload(payload, actor, reference),
    ...others.map((signer) => signPayload(payload, signer)),
  ]);
}
