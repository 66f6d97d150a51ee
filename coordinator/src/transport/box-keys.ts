import { boxBefore, boxKeyPair, hex, signEd25519, type BoxKeyPair } from '@regulon/shared/crypto';
import { boxKeyStatement } from '@regulon/shared/wire';

/** shared keys that are kept, so that each ephemeral key costs one scalar multiplication */
const CACHE_SIZE = 4096;

/**
 * The coordinator's X25519 keys for sealing: one current, one before it.
 *
 * They live in memory only: after a restart or two rotations old traffic cannot be opened by anyone.
 */
export class BoxKeys {
  private pairs: BoxKeyPair[] = [boxKeyPair()];
  private readonly cache = new Map<string, Uint8Array[]>();
  private statement: Uint8Array;

  /**
   * @param rosterHash 32 bytes, part of what is signed
   * @param sign signs with the coordinator's statement key CK
   */
  constructor(
    private readonly rosterHash: Uint8Array,
    private readonly sign: (message: Uint8Array) => Uint8Array,
  ) {
    this.statement = this.signCurrent();
  }

  /** Keys signed by a 32-byte Ed25519 seed. */
  static fromSeed(rosterHash: Uint8Array, seed: Uint8Array): BoxKeys {
    return new BoxKeys(rosterHash, (message) => signEd25519(seed, message));
  }

  get publicKey(): Uint8Array {
    return this.pairs[0]!.publicKey;
  }

  /** CK's signature over the current public key, 64 bytes. */
  get signature(): Uint8Array {
    return this.statement;
  }

  /** Make a new key, keep the last one for what is under way, destroy the one before. Called at least once per run. */
  rotate(): void {
    for (const old of this.pairs.splice(1)) old.secretKey.fill(0);
    this.pairs.unshift(boxKeyPair());
    this.cache.clear();
    this.statement = this.signCurrent();
  }

  /**
   * Shared keys with a sender, the one that opened its last message first.
   *
   * @param ephemeralKey 32 bytes, attacker-controlled
   * @throws E_LOW_ORDER for a weak key
   */
  sharedKeys(ephemeralKey: Uint8Array): readonly Uint8Array[] {
    const name = hex(ephemeralKey);
    const known = this.cache.get(name);
    if (known !== undefined) return known;
    const keys = this.pairs.map((pair) => boxBefore(ephemeralKey, pair.secretKey));
    if (this.cache.size >= CACHE_SIZE) this.cache.delete(this.cache.keys().next().value!);
    this.cache.set(name, keys);
    return keys;
  }

  /** `key` opened a message of this sender: try it first next time. */
  prefer(ephemeralKey: Uint8Array, key: Uint8Array): void {
    const keys = this.cache.get(hex(ephemeralKey));
    if (keys && keys[0] !== key) keys.sort((a, b) => Number(b === key) - Number(a === key));
  }

  private signCurrent(): Uint8Array {
    return this.sign(boxKeyStatement(this.rosterHash, this.publicKey));
  }
}
