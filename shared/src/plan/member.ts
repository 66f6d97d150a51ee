import { canonicalJson, fromHex, hashJson, hex, signEd25519, utf8, verifyEd25519 } from '../crypto/index.js';

/** What a site says of itself in a roster; the rest is the administrators' word. */
export interface MemberSelf {
  readonly name: string;
  readonly org: string;
  /** Ed25519 identity key IK, hexadecimal */
  readonly key: string;
  readonly cosignerKey: string;
}

/** The bytes that a site signs of itself: H_x("member"), 32 bytes. */
function memberDigest({ name, org, key, cosignerKey }: MemberSelf): Uint8Array {
  return hashJson('member', utf8(canonicalJson({ name, org, key, cosignerKey })));
}

/**
 * The self-signature of a member: it shows that the site holds the identity key under which the roster lists it.
 *
 * @param seed of the identity key IK, 32 bytes
 * @returns 64 bytes, hexadecimal
 */
export function signMember(seed: Uint8Array, self: MemberSelf): string {
  return hex(signEd25519(seed, memberDigest(self)));
}

/** True when the identity key of the member signed what the roster says of it. */
export function isSelfSigned(member: MemberSelf & { readonly selfSignature: string }): boolean {
  return verifyEd25519(fromHex(member.key, 32), memberDigest(member), fromHex(member.selfSignature, 64));
}
