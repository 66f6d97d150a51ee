import { Keystream, randomBytes, wipe } from '../../crypto/index.js';

const { clz32 } = Math;

/** 64 KiB */
const WORDS = 16 * 1024;

/** A stream of independent uniform 32-bit words. */
export interface WordSource {
  /** the next word, as a signed 32-bit integer */
  next(): number;
}

/**
 * Uniform words from AES-256-CTR under a key of the operating system's generator; a buffer is wiped before the next.
 * Two instances share nothing, so each worker has its own.
 */
export class RandomWords implements WordSource {
  private readonly stream: Keystream;
  private words: Int32Array = new Int32Array(WORDS);
  private at = WORDS;

  /** @param key 32 bytes; only specs give one */
  constructor(key: Uint8Array = randomBytes(32)) {
    this.stream = new Keystream(key);
  }

  next(): number {
    if (this.at === WORDS) this.refill();
    return this.words[this.at++]!;
  }

  /** Words that come next, as many as lie ready, to be read in place until the next call; they are not used up yet. */
  ahead(): Int32Array {
    if (this.at === WORDS) this.refill();
    return this.words.subarray(this.at);
  }

  /** Use up words that were read ahead. @param count at most as many as lay ready */
  skip(count: number): void {
    this.at += count;
  }

  private refill(): void {
    wipe(new Uint8Array(this.words.buffer, this.words.byteOffset, 4 * WORDS));
    // read where the cipher wrote: a copy takes as long as the encryption
    const { buffer, byteOffset } = this.stream.next(4 * WORDS);
    this.words = new Int32Array(buffer, byteOffset, WORDS);
    this.at = 0;
  }
}

/**
 * Uniform in 0 … bound − 1, exactly, by rejection.
 *
 * @param bound 1 … 2³¹
 */
export function below(source: WordSource, bound: number): number {
  // bits of bound − 1; a shift by 32 is none
  const shift = clz32(bound - 1);
  if (shift === 32) return 0;
  for (;;) {
    const value = source.next() >>> shift;
    if (value < bound) return value;
  }
}
