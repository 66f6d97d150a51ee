import { createPublicKey, type KeyObject } from 'node:crypto';

/** The native key of 32 raw bytes. */
export function ed25519KeyObject(raw: Uint8Array): KeyObject {
  const x = Buffer.from(raw).toString('base64url');
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
