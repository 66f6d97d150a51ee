import { equalBytes } from '../../crypto/index.js';
import { refusalOf } from '../../errors/index.js';
import { keyReference, KeyType, parseVkey, statementKeyName, type VerifierKey } from '../notes/vkey.js';
import type { ActorType } from './kinds.js';
import { entryRefused } from './rule-error.js';
import type { LogEntry } from './schema.js';

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

/** An entry that gives or takes a role. */
export type RoleEntry = LogEntry<'role.grant' | 'role.revoke'>;

/** True for an entry that gives or takes a role. */
export function isRole(entry: LogEntry): entry is RoleEntry {
  return entry.kind === 'role.grant' || entry.kind === 'role.revoke';
}

interface Granted extends ActorKey {
  readonly validUntil: string;
  /** every grant of the key: where it stands in the log, and until when it gave the role */
  readonly grants: readonly { readonly index: number; readonly validUntil: string }[];
}

/** Roles of people beside those of entry 0, as the entries that were taken so far give and take them. */
export class GrantedRoles {
  private readonly granted = new Map<string, Granted>();
  private readonly revoked = new Set<string>();

  /** The person behind a key reference, whether the role is still in force or not. */
  find(reference: string): ActorKey | undefined {
    return this.granted.get(reference);
  }

  /** Why the role of a key is not in force at some time; undefined while it is, or when no entry was about it. */
  endOf(reference: string, at: string): string | undefined {
    if (this.revoked.has(reference)) return 'was revoked';
    const until = this.granted.get(reference)?.validUntil;
    return until !== undefined && at > until ? `ended at ${until}` : undefined;
  }

  /**
   * Whether a key had its role at some time by what the log said before an entry: what was signed then stays signed when
   * the role ends later.
   *
   * @param at when the key signed, by its own word
   * @param index of the entry
   */
  wasInForce(reference: string, at: string, index: number): boolean {
    const granted = this.granted.get(reference);
    if (granted === undefined) return true;
    return granted.grants.some((grant) => grant.index < index && at <= grant.validUntil);
  }

  /**
   * Check that an entry can be taken. Its signatures hold.
   *
   * @param keys in force at the entry
   * @throws E_LOG_ENTRY (L3)
   */
  verify(entry: RoleEntry, keys: KnownKeys): void {
    if (entry.kind === 'role.revoke') this.verifyRevoke(entry, keys);
    else this.verifyGrant(entry, keys);
  }

  /** Take an entry: what follows it is judged by it. @param index where it stands in the log @throws as `verify` */
  take(entry: RoleEntry, keys: KnownKeys, index: number): void {
    this.verify(entry, keys);
    const { role, subject } = entry.body;
    const key = keyOf(entry, keys);
    const reference = keyReference(key);
    if (entry.kind === 'role.revoke') {
      this.revoked.add(reference);
      return;
    }
    const { validUntil } = entry.body;
    const grants = [...(this.granted.get(reference)?.grants ?? []), { index, validUntil }];
    this.granted.set(reference, { type: role, id: subject, key, validUntil, grants });
  }

  /** Back to the beginning: nobody has a role beside those of entry 0. */
  forget(): void {
    this.granted.clear();
    this.revoked.clear();
  }

  private verifyRevoke(entry: LogEntry<'role.revoke'>, keys: KnownKeys): void {
    const { role, subject } = entry.body;
    const reference = keyReference(keyOf(entry, keys));
    const known = keys.find(reference);
    if (known?.type !== role || known.id !== subject || this.revoked.has(reference))
      throw entryRefused('L3', `${role} ${subject} has no role under this key`);
  }

  private verifyGrant(entry: LogEntry<'role.grant'>, keys: KnownKeys): void {
    const { role, subject, validUntil } = entry.body;
    const key = keyOf(entry, keys);
    const reference = keyReference(key);
    const who = `${role} ${subject}`;
    if (validUntil <= entry.at) throw entryRefused('L3', `the role of ${who} ends before it begins`);
    if (this.revoked.has(reference)) throw entryRefused('L3', `the key of ${who} was revoked before`);
    if (this.granted.has(reference)) return;
    const all = [...keys.actors(), ...this.granted.values()];
    const isTaken = all.some(({ key: other }) => equalBytes(other.publicKey, key.publicKey));
    if (isTaken || keys.isUsed(key)) throw entryRefused('L3', `the key of ${who} stands in another role`);
    const others = all.filter(({ type, id }) => type === role && id === subject);
    if (others.some((other) => !this.revoked.has(keyReference(other.key))))
      throw entryRefused('L3', `${who} has another key, which was not revoked`);
  }
}

/** The key that an entry is about. @throws E_LOG_ENTRY (L3) when it is malformed or misnamed */
function keyOf({ body }: RoleEntry, { genesis }: KnownKeys): VerifierKey {
  const name = statementKeyName(genesis.origin, body.role, body.subject);
  try {
    const key = parseVkey(body.key);
    if (key.type === KeyType.statement && key.name === name) return key;
  } catch (error) {
    throw entryRefused('L3', refusalOf(error).message);
  }
  throw entryRefused('L3', `the key of ${name} has another type or name`);
}
