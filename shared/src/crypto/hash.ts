import { createHash, hkdfSync } from 'node:crypto';
import { enc } from './bytes.js';

/** SHA-256 over all parts, as if they were one byte string; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/**
 * HKDF-SHA256.
 *
 * @param length bytes wanted, at most 8160
 * @see RFC 5869
 */
export function hkdf(ikm: Uint8Array, salt: Uint8Array, info: Uint8Array, length: number): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', ikm, salt, info, length));
}

/**
 * `H_x` of the project: the digest of a JSON document for one purpose.
 *
 * @param tag x, for example `plan` or `featureSpec`
 * @param jcsBytes the document in canonical JSON
 * @returns SHA-256(enc("regulon/" + x + "/v1", JCS bytes)), 32 bytes
 */
export function hashJson(tag: string, jcsBytes: Uint8Array): Uint8Array {
  return sha256(enc(`regulon/${tag}/v1`, jcsBytes));
}
