import { concatBytes, signEd25519, verifyEd25519 } from '../../crypto/index.js';
import { keyReference, KeyType, type NamedSeed, verifierKeyOf } from '../notes/vkey.js';
import type { EntrySignature } from './schema.js';

const PAYLOAD_TYPE = 'application/vnd.regulon.audit+json;v=1';

/**
 * What is signed for a payload: `DSSEv1 <type length> <type> <payload length> <payload>`.
 *
 * @param type what the payload is; a signature under one type is none under another
 * @see secure-systems-lab/dsse, pre-authentication encoding
 */
export function preAuthenticationEncoding(payload: Uint8Array, type: string = PAYLOAD_TYPE): Uint8Array {
  const head = `DSSEv1 ${type.length} ${type} ${payload.length} `;
  return concatBytes(new TextEncoder().encode(head), payload);
}

/** True when a key signed the canonical bytes of an entry without `sigs`. @param publicKey Ed25519, 32 bytes */
export function isPayloadSigned(
  payload: Uint8Array,
  { sig }: EntrySignature,
  publicKey: Uint8Array,
): boolean {
  const signature = Uint8Array.from(Buffer.from(sig, 'base64'));
  return verifyEd25519(publicKey, preAuthenticationEncoding(payload), signature);
}

/** Sign the canonical bytes of an entry without `sigs`. @param reference of the signer's statement key, when known */
export function signPayload(
  payload: Uint8Array,
  signer: NamedSeed,
  reference: string = keyReference(verifierKeyOf(signer, KeyType.statement)),
): EntrySignature {
  const sig = signEd25519(signer.seed, preAuthenticationEncoding(payload));
  return { key: reference, sig: Buffer.from(sig).toString('base64') };
}
