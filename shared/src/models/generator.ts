import { createCipheriv } from 'node:crypto';

const BLOCK_BYTES = 1 << 16;
const TWO_POW_26 = 2 ** 26;
const TWO_POW_53 = 2 ** 53;

/**
 * Counter-based generator: the ChaCha20 keystream (RFC 8439, zero nonce, counter from 0) of a 32-byte key.
 *
 * The same key gives the same numbers on every machine. For initial weights, shuffling and dropout; never for keys.
 */
export class KeyedGenerator {
  readonly #cipher;
  readonly #zeros = new Uint8Array(BLOCK_BYTES);
  #words = new DataView(new ArrayBuffer(0));
  #position = 0;

  /** @param key 32 bytes */
  constructor(key: Uint8Array) {
    this.#cipher = createCipheriv('chacha20', key, new Uint8Array(16));
  }

  /** Uniform in [0, 1) with 53 bits: the upper 27 and 26 bits of two little-endian u32. */
  uniform(): number {
    const high = this.#word() >>> 5;
    const low = this.#word() >>> 6;
    return (high * TWO_POW_26 + low) / TWO_POW_53;
  }

  /** Fill an array with the next words of the keystream, as they lie in it (little-endian). */
  words(out: Uint32Array): void {
    const bytes = new Uint8Array(out.buffer, out.byteOffset, out.byteLength);
    for (let at = 0; at < bytes.length;) {
      if (this.#position === this.#words.byteLength) this.#refill();
      const left = this.#words.byteLength - this.#position;
      const { buffer, byteOffset } = this.#words;
      const length = Math.min(left, bytes.length - at);
      bytes.set(new Uint8Array(buffer, byteOffset + this.#position, length), at);
      this.#position += length;
      at += length;
    }
  }

  /**
   * Uniform integer in [0, bound), without bias.
   *
   * @param bound integer in 1 … 2³²
   */
  below(bound: number): number {
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const word = this.#word();
      if (word < limit) return word % bound;
    }
  }

  #word(): number {
    if (this.#position === this.#words.byteLength) this.#refill();
    const word = this.#words.getUint32(this.#position, true);
    this.#position += 4;
    return word;
  }

  #refill(): void {
    const block = this.#cipher.update(this.#zeros);
    this.#words = new DataView(block.buffer, block.byteOffset, block.byteLength);
    this.#position = 0;
  }
}
