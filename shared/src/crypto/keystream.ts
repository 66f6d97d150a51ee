import { createCipheriv, type Cipher } from 'node:crypto';
import { RegulonError } from '../errors/index.js';

/**
 * AES-256-CTR as a seekable pseudo-random generator, zero initial counter.
 *
 * Mask and rounding streams start at any byte offset that is a multiple of 16.
 */
export class Keystream {
  private readonly cipher: Cipher;
  private static zeros = Buffer.alloc(128 * 1024);

  /**
   * @param key 32 bytes, used for one stream only
   * @param byteOffset where to start, a multiple of 16 below 2⁵³
   * @throws E_INTERNAL if key length or offset is wrong
   */
  constructor(key: Uint8Array, byteOffset = 0) {
    if (key.length !== 32 || byteOffset % 16 !== 0 || !Number.isSafeInteger(byteOffset) || byteOffset < 0) {
      throw new RegulonError(
        'E_INTERNAL',
        'a keystream needs 32 bytes of key and an offset that is a multiple of 16',
      );
    }
    const counter = Buffer.alloc(16);
    counter.writeBigUInt64BE(BigInt(byteOffset / 16), 8);
    this.cipher = createCipheriv('aes-256-ctr', key, counter);
  }

  /** The next `length` bytes; the caller owns them. */
  next(length: number): Buffer {
    if (length > Keystream.zeros.length) Keystream.zeros = Buffer.alloc(length);
    return this.cipher.update(Keystream.zeros.subarray(0, length));
  }
}
