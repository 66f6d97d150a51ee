import { z } from 'zod';
import { canonicalJsonBytes, signEd25519, verifyEd25519 } from '../../crypto/index.js';
import { keyReference, KeyType, type NamedSeed, parseVkey, verifierKeyOf } from '../notes/vkey.js';
import type { releaseTerms } from './bodies-release.js';
import { modelReleaseBody } from './bodies-release.js';
import { preAuthenticationEncoding } from './dsse.js';
import type { GenesisMember } from './federation-keys.js';
import { federationId, runName } from './fields.js';
import type { BodyOf } from './kinds.js';

/** Of no entry: a steward's signature under terms is none under an entry, and the other way round. */
const TERMS_TYPE = 'application/vnd.regulon.release+json;v=1';

/** What is said of a release, and signed by the stewards. */
export type ReleaseTerms = z.infer<typeof releaseTerms>;
/** A steward's signature under the terms of a release. */
export type ReleaseApproval = BodyOf<'model.release'>['approvals'][number];

/** Which federation's run the terms are about. */
export interface ReleasePlace {
  readonly fed: string;
  readonly run: string;
}

/** What a researcher passes round and stewards sign; a form of the entry's scope and body, with the attack reports. */
export const releaseDocument = z.strictObject({
  schema: z.literal('regulon.release/1'),
  fed: federationId,
  run: runName,
  body: modelReleaseBody,
  /** each attack report of the tests, canonical JSON in base64 */
  reports: z.array(z.base64()).max(64),
});
/** See `releaseDocument`. */
export type ReleaseDocument = z.infer<typeof releaseDocument>;

/** Canonical JSON of what a steward signs: everything of a release but who approved it. */
export function releasePayload({ fed, run }: ReleasePlace, body: ReleaseTerms): Uint8Array {
  const { arm, model, format, file, privacy, intendedUse, tests } = body;
  return canonicalJsonBytes({
    ...{ schema: 'regulon.release/1', fed, run },
    ...{ arm, model, format, file, privacy, intendedUse, tests },
  });
}

/** A steward signs the terms of a release. @param site name of the member */
export function signRelease(
  place: ReleasePlace,
  terms: ReleaseTerms,
  site: string,
  signer: NamedSeed,
): ReleaseApproval {
  const message = preAuthenticationEncoding(releasePayload(place, terms), TERMS_TYPE);
  const key = keyReference(verifierKeyOf(signer, KeyType.statement));
  return { site, key, sig: Buffer.from(signEd25519(signer.seed, message)).toString('base64') };
}

/**
 * Whether the steward of a member has signed the terms of a release.
 *
 * @param member in force where the release stands; undefined for a site that is none
 */
export function isApproved(
  place: ReleasePlace,
  terms: ReleaseTerms,
  approval: ReleaseApproval | undefined,
  member: GenesisMember | undefined,
): boolean {
  if (approval === undefined || approval.site !== member?.name) return false;
  const steward = parseVkey(member.steward);
  if (approval.key !== keyReference(steward)) return false;
  const message = preAuthenticationEncoding(releasePayload(place, terms), TERMS_TYPE);
  return verifyEd25519(steward.publicKey, message, Uint8Array.from(Buffer.from(approval.sig, 'base64')));
}
