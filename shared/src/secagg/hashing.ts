import { enc, hkdf, sha256, signEd25519, u32, verifyEd25519 } from '../crypto/index.js';

/** A field of a hash: bytes as they are, or text. */
export type Field = Uint8Array | string;

const NAME = 'regulon/secagg/v1/';

/** `H(tag, f..)` of the protocol: SHA-256(enc(name ‖ tag, f..)), 32 bytes. */
export function tagHash(tag: string, ...fields: readonly Field[]): Uint8Array {
  return sha256(enc(NAME + tag, ...fields));
}

/** `KDF(k, label, f..)` of the protocol: HKDF-SHA256 with ctx as salt, 32 bytes. */
export function deriveKey(
  ctx: Uint8Array,
  key: Uint8Array,
  label: string,
  ...fields: readonly Field[]
): Uint8Array {
  return hkdf(key, ctx, enc(`${NAME}kdf/${label}`, ...fields), 32);
}

/** `Sig(tag, f..)`: Ed25519 over H(tag, ctx, f..). @param seed 32 bytes @returns 64 bytes */
export function signTagged(
  seed: Uint8Array,
  ctx: Uint8Array,
  tag: string,
  ...fields: readonly Field[]
): Uint8Array {
  return signEd25519(seed, tagHash(tag, ctx, ...fields));
}

/** What `verifyTagged` checks. */
export interface TaggedSignature {
  readonly key: Uint8Array;
  readonly ctx: Uint8Array;
  readonly tag: string;
  readonly fields: readonly Field[];
  readonly sig: Uint8Array;
}

/** True when the signature of `signTagged` is valid under the key. */
export function verifyTagged({ key, ctx, tag, fields, sig }: TaggedSignature): boolean {
  return verifyEd25519(key, tagHash(tag, ctx, ...fields), sig);
}

/** Fields of a list of ids: a u32 count, then each id as u32. */
export function idList(ids: readonly number[]): Uint8Array[] {
  return [u32(ids.length), ...ids.map(u32)];
}
