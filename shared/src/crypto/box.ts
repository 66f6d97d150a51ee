import { diffieHellman, randomBytes as nodeRandomBytes } from 'node:crypto';
import nacl from 'tweetnacl';
import { RegulonError } from '../errors/index.js';
import { equalBytes, fromHex, utf8, wipe } from './bytes.js';
import { privateKeyObject, publicKeyObject, rawPublicKeyOf } from './key-objects.js';

/** A source of uniform bytes; tests inject their own. */
export type RandomSource = (length: number) => Uint8Array;

/** X25519 key pair, 32 bytes each. */
export interface BoxKeyPair {
  readonly publicKey: Uint8Array;
  readonly secretKey: Uint8Array;
}

type HSalsa20 = (out: Uint8Array, input: Uint8Array, key: Uint8Array, constant: Uint8Array) => number;

const SIGMA = utf8('expand 32-byte k');
/** what every low-order public key gives: hsalsa20 of the zero point */
const LOW_ORDER_RESULT = fromHex('351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e');
/** The core of tweetnacl's box, which its types leave out. */
const hsalsa20 = lowLevelFunction('crypto_core_hsalsa20');

/** Uniform bytes of the operating system's generator. */
export function randomBytes(length: number): Uint8Array {
  return new Uint8Array(nodeRandomBytes(length));
}

/** A fresh X25519 key pair. */
export function boxKeyPair(random: RandomSource = randomBytes): BoxKeyPair {
  const secretKey = random(32);
  return { publicKey: boxPublicKeyOf(secretKey), secretKey };
}

/** X25519 public key of a 32-byte secret key (equal to `nacl.scalarMult.base`). */
export function boxPublicKeyOf(secretKey: Uint8Array): Uint8Array {
  return rawPublicKeyOf('X25519', secretKey);
}

/**
 * Shared key of an X25519 pair, as `nacl.box.before`, with the scalar multiplication done natively.
 *
 * @param publicKey of the other side, 32 bytes, attacker-controlled
 * @param secretKey own, 32 bytes
 * @returns 32 bytes; the caller wipes them
 * @throws E_LOW_ORDER if the public key is of low order or has a wrong length
 */
export function boxBefore(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  const point = sharedPoint(publicKey, secretKey);
  const key = new Uint8Array(32);
  hsalsa20(key, new Uint8Array(16), point, SIGMA);
  wipe(point);
  if (equalBytes(key, LOW_ORDER_RESULT)) throw lowOrder();
  return key;
}

/** XSalsa20-Poly1305 under a key of `boxBefore`. @param nonce 24 bytes, never used twice under one key */
export function boxSeal(message: Uint8Array, nonce: Uint8Array, sharedKey: Uint8Array): Uint8Array {
  return nacl.box.after(message, nonce, sharedKey);
}

/** Opens what `boxSeal` gave. @throws E_SEAL if the box was changed or belongs to another key or nonce */
export function boxOpen(box: Uint8Array, nonce: Uint8Array, sharedKey: Uint8Array): Uint8Array {
  return secretboxOpen(box, nonce, sharedKey);
}

/** XSalsa20-Poly1305 with a symmetric key. @param key 32 bytes @param nonce 24 bytes @returns message length + 16 bytes */
export function secretboxSeal(message: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  return nacl.secretbox(message, nonce, key);
}

/** Opens what `secretboxSeal` gave. @throws E_SEAL if it does not open */
export function secretboxOpen(box: Uint8Array, nonce: Uint8Array, key: Uint8Array): Uint8Array {
  const message = nacl.secretbox.open(box, nonce, key);
  if (message === null) throw new RegulonError('E_SEAL', 'a sealed message does not open');
  return message;
}

function lowLevelFunction(name: string): HSalsa20 {
  const lowLevel: unknown = Reflect.get(nacl, 'lowlevel');
  const found: unknown =
    typeof lowLevel === 'object' && lowLevel !== null ? Reflect.get(lowLevel, name) : undefined;
  if (!isHSalsa20(found)) throw new RegulonError('E_INTERNAL', `this tweetnacl has no ${name}`);
  return found;
}

function isHSalsa20(value: unknown): value is HSalsa20 {
  return typeof value === 'function' && value.length === 4;
}

function sharedPoint(publicKey: Uint8Array, secretKey: Uint8Array): Uint8Array {
  if (publicKey.length !== 32) throw lowOrder();
  const theirs = publicKeyObject('X25519', publicKey);
  const own = privateKeyObject('X25519', secretKey);
  try {
    return new Uint8Array(diffieHellman({ privateKey: own, publicKey: theirs }));
  } catch (cause) {
    throw lowOrder(cause);
  }
}

function lowOrder(cause?: unknown): RegulonError {
  return new RegulonError('E_LOW_ORDER', 'an X25519 public key is of low order', { cause });
}
