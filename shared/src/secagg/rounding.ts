import { enc, hkdf, Keystream, u16, u32 } from '../crypto/index.js';

/**
 * Key of the rounding stream of one training round.
 *
 * @param secret roundingSecret of the run, 32 bytes, journalled until the run is over
 * @param runId 16 bytes
 * @returns 32 bytes; the same for all attempts of the round
 */
export function roundingKey(secret: Uint8Array, runId: Uint8Array, round: number, arm: number): Uint8Array {
  return hkdf(secret, new Uint8Array(32), enc('regulon/rounding/v1', runId, u32(round), u16(arm)), 32);
}

/** The stream of random words that decides which way each element is rounded: word k belongs to element k. */
export class Rounding {
  private readonly stream: Keystream;

  /** @param key of `roundingKey`, 32 bytes @param element where to start, a multiple of 4 */
  constructor(key: Uint8Array, element = 0) {
    this.stream = new Keystream(key, element * 4);
  }

  /** The next `count` words, little-endian u32. */
  next(count: number): Uint32Array {
    const bytes = this.stream.next(count * 4);
    if (bytes.byteOffset % 4 === 0) return new Uint32Array(bytes.buffer, bytes.byteOffset, count);
    return new Uint32Array(Uint8Array.from(bytes).buffer);
  }
}
