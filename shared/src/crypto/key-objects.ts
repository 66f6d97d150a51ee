import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { RegulonError } from '../errors/index.js';
import { concatBytes, equalBytes, fromHex } from './bytes.js';

type Curve = 'Ed25519' | 'X25519';

const PKCS8: Record<Curve, Uint8Array> = {
  Ed25519: fromHex('302e020100300506032b657004220420'),
  X25519: fromHex('302e020100300506032b656e04220420'),
};

interface Parsed {
  readonly digest: Uint8Array;
  readonly object: KeyObject;
  /** its public half, once somebody asked: exporting it costs 0.2 ms */
  raw?: Uint8Array;
}

/** Parsing a private key costs 0.3 ms, more than using it: one object per array of secret bytes, as long as that lives. */
const known = new WeakMap<Uint8Array, Parsed>();

/**
 * The native key of 32 raw secret bytes (an Ed25519 seed or an X25519 scalar).
 *
 * The digest notices when the array was wiped or reused; the secret never becomes a string.
 *
 * @throws E_INTERNAL if the length is wrong
 */
export function privateKeyObject(curve: Curve, secret: Uint8Array): KeyObject {
  return parsed(curve, secret).object;
}

/** The 32 raw public bytes of a private key; the caller owns them. @throws as `privateKeyObject` */
export function rawPublicKeyOf(curve: Curve, secret: Uint8Array): Uint8Array {
  const key = parsed(curve, secret);
  key.raw ??= Uint8Array.from(
    createPublicKey(key.object).export({ format: 'der', type: 'spki' }).subarray(-32),
  );
  return Uint8Array.from(key.raw);
}

function parsed(curve: Curve, secret: Uint8Array): Parsed {
  if (secret.length !== 32) throw new RegulonError('E_INTERNAL', `an ${curve} secret key has 32 bytes`);
  const digest = new Uint8Array(createHash('sha256').update(curve).update(secret).digest());
  const before = known.get(secret);
  if (before && equalBytes(before.digest, digest)) return before;
  const der = Buffer.from(concatBytes(PKCS8[curve], secret));
  const object = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  der.fill(0);
  const key: Parsed = { digest, object };
  known.set(secret, key);
  return key;
}

/** Native Ed25519 keys by their bytes: to make one takes a sixth of a verification, and few keys sign many messages. */
const verifiers = new Map<string, KeyObject>();
const MOST_VERIFIERS = 1000;

/** The native key of 32 raw public bytes; as JWK, because that skips a slow decoder (0.005 instead of 0.06 ms). */
export function publicKeyObject(curve: Curve, bytes: Uint8Array): KeyObject {
  const x = Buffer.from(bytes).toString('base64url');
  const make = (): KeyObject => createPublicKey({ key: { kty: 'OKP', crv: curve, x }, format: 'jwk' });
  if (curve !== 'Ed25519') return make();
  const object = verifiers.get(x) ?? make();
  if (verifiers.size >= MOST_VERIFIERS) verifiers.clear();
  verifiers.set(x, object);
  return object;
}
