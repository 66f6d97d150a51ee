import { join } from 'node:path';
import { type Objection, signObjection, type Subject } from '@regulon/client/consent';
import { readSeedFile, writeKeyFile } from '@regulon/client/enrol';
import { hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import {
  type ActorType,
  type BodyOf,
  type ChainHead,
  type NamedSeed,
  nextPosition,
  type ScopeOf,
  sealEntry,
  statementKeyName,
} from '@regulon/shared/transparency';

/** What people of a federation say in its log. */
export type Statement = {
  [K in Said]: { readonly kind: K; readonly body: BodyOf<K> } & ScopeOf<K>;
}[Said];
type Said =
  | 'role.grant'
  | 'role.revoke'
  | 'policy.set'
  | 'policy.override'
  | 'dataset.commit'
  | 'dataset.withdraw'
  | 'plan.propose'
  | 'plan.approve'
  | 'plan.reject'
  | 'plan.withdraw'
  | 'model.release'
  | 'model.export';

/** Which federation an entry is for. */
export interface FederationName {
  readonly id: string;
  /** name of its log */
  readonly origin: string;
}

/** A person of a federation, who signs under an own key. */
export class Person {
  private constructor(
    readonly type: ActorType,
    readonly id: string,
    private readonly seed: Uint8Array,
  ) {}

  /** A new person with a fresh key, written below `folder`. @throws E_KEY_FILE when there is one already */
  static create(folder: string, type: ActorType, id: string): Person {
    const seed = randomBytes(32);
    writeKeyFile(keyFileOf(folder, type, id), `${hex(seed)}\n`);
    return new Person(type, id, seed);
  }

  /** A person whose key was written earlier. @throws E_KEY_FILE */
  static load(folder: string, type: ActorType, id: string): Person {
    return new Person(type, id, readSeedFile(keyFileOf(folder, type, id)));
  }

  /** A person by the path of the key. @throws E_KEY_FILE */
  static fromKeyFile(path: string, type: ActorType, id: string): Person {
    return new Person(type, id, readSeedFile(path));
  }

  /** Ed25519 public key, 32 bytes. */
  get publicKey(): Uint8Array {
    return publicKeyOf(this.seed);
  }

  /**
   * Sign an entry of this person's chain.
   *
   * @param head the person's last entry in the log, undefined before the first
   * @param now injected wall clock
   * @param seconds who signs it, too
   */
  seal(
    federation: FederationName,
    statement: Statement,
    head: ChainHead | undefined,
    now: Date,
    seconds: readonly NamedSeed[] = [],
  ): Uint8Array {
    const actor = { type: this.type, id: this.id };
    const draft = { ...statement, ...nextPosition(head, now), fed: federation.id, actor };
    return sealEntry(draft, [this.named(federation.origin), ...seconds]);
  }

  /** Sign what stops the daemon of this steward's site at once, whatever the log shows. */
  object(federationId: string, subject: Subject, now: Date): Objection {
    return signObjection({ federationId, site: this.id }, subject, this.seed, now);
  }

  /** Name and seed, for signing what is not an entry of this person's own chain. */
  named(origin: string): NamedSeed {
    return { keyName: statementKeyName(origin, this.type, this.id), seed: this.seed };
  }
}

/** Where the key of a person lies in a folder of people. */
export const keyFileOf = (folder: string, type: ActorType, id: string): string =>
  join(folder, `${type}-${id}.key`);
