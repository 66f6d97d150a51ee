import { sign, verify } from 'node:crypto';
import { fromHex } from './bytes.js';
import { privateKeyObject, publicKeyObject, rawPublicKeyOf } from './key-objects.js';

const P = (1n << 255n) - 19n;
const SMALL_ORDER_Y = new Set([
  0n,
  1n,
  P - 1n,
  fromLittleEndian(fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')),
  fromLittleEndian(fromHex('c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a')),
]);

/**
 * Public key of an Ed25519 seed.
 *
 * @param seed 32 bytes
 * @returns 32 bytes
 * @throws E_INTERNAL if the seed has another length
 */
export function publicKeyOf(seed: Uint8Array): Uint8Array {
  return rawPublicKeyOf('Ed25519', seed);
}

/**
 * Ed25519 signature; the public half is derived from the seed, because a wrong one would leak the signing scalar.
 *
 * @param seed 32 bytes
 * @returns 64 bytes, the same as tweetnacl gives
 * @see RFC 8032
 */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKeyObject('Ed25519', seed)));
}

/**
 * True when the signature is valid; false for wrong lengths and keys that are no points.
 *
 * The caller has checked the key with `isAcceptablePublicKey` when it was imported: the identity point verifies anything.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    return verify(null, message, publicKeyObject('Ed25519', publicKey), signature);
  } catch {
    return false;
  }
}

/** Says of a signature what `verifyEd25519` says of it. */
export type SignatureCheck = typeof verifyEd25519;

/** False for keys of a wrong length, a non-canonical y (≥ 2²⁵⁵ − 19) or a point of small order, with either sign bit. */
export function isAcceptablePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false;
  const bytes = Uint8Array.from(publicKey);
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const y = fromLittleEndian(bytes);
  return y < P && !SMALL_ORDER_Y.has(y);
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
