import { hex } from '../../crypto/index.js';
import { keyReference, KeyType, parseVkey, statementKeyName, type VerifierKey } from '../notes/vkey.js';
import type { Witnesses } from '../notes/quorum.js';
import type { ActorType, BodyOf } from './kinds.js';
import { attachedJson, isAttachment } from './attachments.js';
import { type ActorKey, GrantedRoles, type KnownKeys } from './granted-roles.js';
import { memberList } from './bodies-federation.js';
import { entryRefused } from './rule-error.js';

/** Members of a federation as its genesis names them. */
export type GenesisMember = Extract<BodyOf<'federation.genesis'>['members'], readonly unknown[]>[number];

/** Reads an attachment by its digest text; undefined when it is not there. */
export type ResolveAttachment = (digest: string) => Uint8Array | undefined;

/**
 * The keys that may sign entries, as entry 0 fixes them.
 *
 * Each key serves one role, and each actor has one key: a key, a member or a person that stands twice is refused.
 */
export class FederationKeys implements KnownKeys {
  readonly logKey: VerifierKey;
  readonly members: readonly GenesisMember[];
  /** cosigner key of every member, by the member's name */
  readonly witnesses: Witnesses;
  private readonly byReference = new Map<string, ActorKey>();
  private readonly seen = new Set<string>();

  /**
   * @throws E_LOG_ENTRY (L3) if a key is malformed, misnamed or stands in two roles, a member or person stands twice,
   * or the member list is missing
   */
  constructor(
    /** id of the federation */
    readonly fed: string,
    readonly genesis: BodyOf<'federation.genesis'>,
    resolve: ResolveAttachment = () => undefined,
    /** what later entries say of people; every roster of a federation shares it */
    readonly roles: GrantedRoles = new GrantedRoles(),
  ) {
    this.members = membersOf(genesis, resolve);
    refuseRepeated(
      'member',
      this.members.map(({ name }) => name),
    );
    refuseRepeated(
      'roster id',
      this.members.map(({ id }) => id),
    );
    refuseRepeated(
      'person',
      genesis.people.map(({ role, id }) => `${role} ${id}`),
    );
    this.logKey = this.unique(genesis.logKey, KeyType.log, genesis.origin);
    this.add('coordinator', 'coordinator', genesis.coordinatorKey);
    this.witnesses = this.members.map(({ name, cosigner }) => ({
      name,
      key: this.unique(cosigner, KeyType.cosigner),
    }));
    for (const member of this.members) {
      this.add('site', member.name, member.statement);
      this.add('steward', member.name, member.steward);
      member.administrators.forEach((vkey) => this.add('administrator', member.name, vkey));
    }
    genesis.people.forEach(({ id, role, key }) => this.add(role, id, key));
  }

  /** The actor behind a key reference, undefined if the federation does not know the key. */
  find(reference: string): ActorKey | undefined {
    return this.byReference.get(reference) ?? this.roles.find(reference);
  }

  /** Everybody whom entry 0 or the roster gives a statement key. */
  actors(): Iterable<ActorKey> {
    return this.byReference.values();
  }

  /** Whether a key serves here, as whatever: statements, cosignatures, the log. */
  isUsed({ publicKey }: VerifierKey): boolean {
    return this.seen.has(hex(publicKey));
  }

  /** The member of this name. */
  member(name: string): GenesisMember | undefined {
    return this.members.find((member) => member.name === name);
  }

  private add(type: ActorType, id: string, vkey: string): void {
    const name = statementKeyName(this.genesis.origin, type, id);
    const key = this.unique(vkey, KeyType.statement, type === 'administrator' ? undefined : name);
    this.byReference.set(keyReference(key), { type, id, key });
  }

  private unique(vkey: string, type: KeyType, name?: string): VerifierKey {
    const key = readVkey(vkey);
    if (key.type !== type || (name !== undefined && key.name !== name)) {
      throw entryRefused('L3', `the key of ${name ?? key.name} has another type or name`);
    }
    const fingerprint = hex(key.publicKey);
    if (this.seen.has(fingerprint)) throw entryRefused('L3', `the key of ${key.name} stands in two roles`);
    this.seen.add(fingerprint);
    return key;
  }
}

function refuseRepeated(what: string, values: readonly (string | number)[]): void {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw entryRefused('L3', `${what} ${twice} stands twice in the genesis`);
}

function readVkey(text: string): VerifierKey {
  try {
    return parseVkey(text);
  } catch (cause) {
    throw entryRefused('L3', (cause as Error).message);
  }
}

function membersOf(
  genesis: BodyOf<'federation.genesis'>,
  resolve: ResolveAttachment,
): readonly GenesisMember[] {
  if (!isAttachment(genesis.members)) return genesis.members;
  const members = memberList.safeParse(attachedJson(resolve(genesis.members.digest)));
  if (!members.success) throw entryRefused('L3', 'the list of members is not attached or cannot be read');
  return members.data;
}
