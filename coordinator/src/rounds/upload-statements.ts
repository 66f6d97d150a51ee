import { enc, sha256, signEd25519, u32, verifyEd25519 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { MaskedCommit } from '@regulon/shared/secagg';

/** H(tag, f..) of the protocol. @see secagg.md §3 */
const tagHash = (tag: string, ...fields: Uint8Array[]): Uint8Array =>
  sha256(enc(`regulon/secagg/v1/${tag}`, ...fields));

/** What both statements are about. */
export interface UploadFacts {
  readonly ctx: Uint8Array;
  readonly h2: Uint8Array;
}

/**
 * Check σ2 before anything is made durable; the protocol machine checks it again when the upload counts.
 *
 * @param key identity key of the site, 32 bytes
 * @throws E_SIG_R2
 */
export function verifyUploadSignature({ ctx, h2 }: UploadFacts, key: Uint8Array, m: MaskedCommit): void {
  const hash = tagHash('R2', ctx, h2, u32(m.id), u32(m.length), m.root);
  if (!verifyEd25519(key, hash, m.sig))
    throw new RegulonError('E_SIG_R2', `the upload of site ${m.id} is not signed by it`);
}

/** Sig_C("RCPT", h2, i, root): lets a site prove that its upload was accepted; 64 bytes, the same on repetition. */
export function uploadReceipt(
  { ctx, h2 }: UploadFacts,
  seed: Uint8Array,
  site: number,
  root: Uint8Array,
): Uint8Array {
  return signEd25519(seed, tagHash('RCPT', ctx, h2, u32(site), root));
}
