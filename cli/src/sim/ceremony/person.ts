import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, hex, publicKeyOf, randomBytes } from '@regulon/shared/crypto';
import {
  type ActorType,
  type BodyOf,
  type ChainHead,
  type EntryDraft,
  formatVkey,
  headOf,
  type Kind,
  KeyType,
  nextPosition,
  sealEntry,
  statementKeyName,
  verifierKeyOf,
} from '@regulon/shared/transparency';
import { readSeed, writeSecret, writeSeed } from './folder.js';

/** A person of a federation: an own key, an own chain of entries. */
export class Person {
  private constructor(
    readonly type: ActorType,
    readonly id: string,
    private readonly seed: Uint8Array,
    private readonly folder: string,
  ) {}

  /** A new person with a fresh key, written below `folder`. */
  static create(folder: string, type: ActorType, id: string): Person {
    const seed = randomBytes(32);
    writeSeed(join(folder, `${type}-${id}.key`), seed);
    return new Person(type, id, seed, folder);
  }

  /** A person whose key was written earlier. @throws E_KEY_FILE */
  static load(folder: string, type: ActorType, id: string): Person {
    return new Person(type, id, readSeed(join(folder, `${type}-${id}.key`)), folder);
  }

  /** Ed25519 public key, 32 bytes. */
  get publicKey(): Uint8Array {
    return publicKeyOf(this.seed);
  }

  /** The key as entries and genesis name it. */
  vkey(origin: string): string {
    return formatVkey(verifierKeyOf(this.named(origin), KeyType.statement));
  }

  /**
   * Sign the next entry of this person's chain. The chain moves on only when `accepted` is called.
   *
   * @param now injected wall clock
   */
  seal<K extends Kind>(
    federation: { id: string; origin: string },
    kind: K,
    body: BodyOf<K>,
    now: Date,
  ): Uint8Array {
    const draft = {
      kind,
      fed: federation.id,
      actor: { type: this.type, id: this.id },
      body,
      ...nextPosition(this.head(), now),
    } as unknown as EntryDraft;
    return sealEntry(draft, [this.named(federation.origin)]);
  }

  /** The log has the entry: the next one builds on it. */
  accepted(entry: Uint8Array): void {
    const { seq, hash, at } = headOf(entry);
    writeSecret(this.headFile, JSON.stringify({ seq, hash: hex(hash), at }));
  }

  /** Sign bytes that are no entry, as an administrator signs a roster. */
  named(origin: string): { keyName: string; seed: Uint8Array } {
    return { keyName: statementKeyName(origin, this.type, this.id), seed: this.seed };
  }

  private get headFile(): string {
    return join(this.folder, `${this.type}-${this.id}.head.json`);
  }

  private head(): ChainHead | undefined {
    if (!existsSync(this.headFile)) return undefined;
    const stored = JSON.parse(readFileSync(this.headFile, 'utf8')) as {
      seq: number;
      hash: string;
      at: string;
    };
    return { seq: stored.seq, hash: fromHex(stored.hash), at: stored.at };
  }
}
