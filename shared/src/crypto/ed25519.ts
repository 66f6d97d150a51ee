import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { RegulonError } from '../errors/index.js';
import { concatBytes, fromHex } from './bytes.js';

const SPKI = fromHex('302a300506032b6570032100');
const PKCS8 = fromHex('302e020100300506032b657004220420');
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
  const spki = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' });
  return Uint8Array.from(spki.subarray(SPKI.length));
}

/**
 * Ed25519 signature; the public half is derived from the seed, because a wrong one would leak the signing scalar.
 *
 * @param seed 32 bytes
 * @returns 64 bytes, the same as tweetnacl gives
 * @see RFC 8032
 */
export function signEd25519(seed: Uint8Array, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(seed)));
}

/**
 * True when the signature is valid; false for wrong lengths and keys that are no points.
 *
 * The caller has checked the key with `isAcceptablePublicKey` when it was imported: the identity point verifies anything.
 */
export function verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  try {
    const key = createPublicKey({
      key: Buffer.from(concatBytes(SPKI, publicKey)),
      format: 'der',
      type: 'spki',
    });
    return verify(null, message, key, signature);
  } catch {
    return false;
  }
}

/** False for keys of a wrong length, a non-canonical y (≥ 2²⁵⁵ − 19) or a point of small order, with either sign bit. */
export function isAcceptablePublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return false;
  const bytes = Uint8Array.from(publicKey);
  bytes[31] = (bytes[31] ?? 0) & 0x7f;
  const y = fromLittleEndian(bytes);
  return y < P && !SMALL_ORDER_Y.has(y);
}

function privateKey(seed: Uint8Array): KeyObject {
  if (seed.length !== 32) throw new RegulonError('E_INTERNAL', 'an Ed25519 seed has 32 bytes');
  return createPrivateKey({ key: Buffer.from(concatBytes(PKCS8, seed)), format: 'der', type: 'pkcs8' });
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
}
