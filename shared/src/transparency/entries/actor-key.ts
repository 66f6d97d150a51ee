import type { VerifierKey } from '../notes/vkey.js';
import type { ActorType } from './kinds.js';

/** Statement key of one actor. */
export interface ActorKey {
  readonly type: ActorType;
  readonly id: string;
  readonly key: VerifierKey;
}

/** Who has which key, as far as roles depend on it. */
export interface KnownKeys {
  readonly genesis: { readonly origin: string };
  /** The actor behind a key reference, undefined if the federation does not know the key. */
  find(reference: string): ActorKey | undefined;
  /** Everybody whom entry 0 or the roster gives a statement key. */
  actors(): Iterable<ActorKey>;
  /** Whether a key serves here, as whatever: statements, cosignatures, the log. */
  isUsed(key: VerifierKey): boolean;
}
