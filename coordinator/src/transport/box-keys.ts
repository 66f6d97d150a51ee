import { boxBefore, boxKeyPair, hex, signEd25519, type BoxKeyPair } from '@regulon/shared/crypto';
import { isRegulonError } from '@regulon/shared/errors';
import { boxKeyStatement } from '@regulon/shared/wire';
import type { SharedKeys } from './ports.js';

/** shared keys that are kept, so that each ephemeral key costs one scalar multiplication */
const CACHE_SIZE = 4096;

/**
 * The coordinator's X25519 keys for sealing: one current, one before it.
 *
 * They live in memory only: after a restart or two rotations old traffic cannot be opened by anyone.
 */
export class BoxKeys implements SharedKeys {
  /** the current one first */
  private pairs: readonly [BoxKeyPair, ...BoxKeyPair[]] = [boxKeyPair()];
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
    return this.pairs[0].publicKey;
  }

  /** CK's signature over the current public key, 64 bytes. */
  get signature(): Uint8Array {
    return this.statement;
  }

  /** Make a new key, keep the last one for what is under way, destroy the one before. Called at least once per run. */
  rotate(): void {
    const [last, ...older] = this.pairs;
    for (const { secretKey } of older) secretKey.fill(0);
    this.pairs = [boxKeyPair(), last];
    this.cache.clear();
    this.statement = this.signCurrent();
  }

  /**
   * Open what a sender sealed for one of the keys.
   *
   * @param ephemeralKey of the sender, 32 bytes, attacker-controlled
   * @param open tries one shared key; throws E_SEAL when it does not fit
   * @throws E_SEAL when none fits, E_LOW_ORDER for a weak key; what `open` throws
   */
  openWith<T>(ephemeralKey: Uint8Array, open: (sharedKey: Uint8Array) => T): T {
    return firstThatOpens(this.sharedKeys(ephemeralKey), (key) => {
      const opened = open(key);
      this.prefer(ephemeralKey, key);
      return opened;
    });
  }

  sharedKeys(ephemeralKey: Uint8Array): readonly Uint8Array[] {
    const name = hex(ephemeralKey);
    const known = this.cache.get(name);
    if (known !== undefined) return known;
    const keys = this.pairs.map((pair) => boxBefore(ephemeralKey, pair.secretKey));
    const [oldest] = this.cache.keys();
    if (this.cache.size >= CACHE_SIZE && oldest !== undefined) this.cache.delete(oldest);
    this.cache.set(name, keys);
    return keys;
  }

  /** `key` opened a message of this sender: try it first next time. */
  private prefer(ephemeralKey: Uint8Array, key: Uint8Array): void {
    const keys = this.cache.get(hex(ephemeralKey));
    if (keys && keys[0] !== key) keys.sort((a, b) => Number(b === key) - Number(a === key));
  }

  private signCurrent(): Uint8Array {
    return this.sign(boxKeyStatement(this.rosterHash, this.publicKey));
  }
}

/** What `open` gives for the first key that it does not refuse with E_SEAL. @throws E_SEAL when none fits */
export function firstThatOpens<T>(keys: readonly Uint8Array[], open: (sharedKey: Uint8Array) => T): T {
  let failure: unknown;
  for (const key of keys) {
    try {
      return open(key);
    } catch (error) {
      if (!isRegulonError(error, 'E_SEAL')) throw error;
      failure = error;
    }
  }
  throw failure;
}
