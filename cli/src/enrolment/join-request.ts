import { createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { type EnrolmentRequest, verifyEnrolment } from '@regulon/client/enrol';
import {
  canonicalJson,
  fromHex,
  hashJson,
  hex,
  isAcceptablePublicKey,
  publicKeyOf,
  signEd25519,
  utf8,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { federationId, key, signature, siteName, time } from './fields.js';
import type { Invitation } from './invitation.js';

/** What `init` of a daemon prints. */
export const enrolmentRequestSchema = z.strictObject({
  schema: z.literal('regulon.enrolment/1'),
  name: siteName,
  org: z.string().min(1).max(100),
  statementKey: key,
  cosignerKey: key,
  csrPem: z.string().max(10_000),
  memberSignature: signature,
  selfSignature: signature,
}) satisfies z.ZodType<EnrolmentRequest>;

/** What a site sends to the founder: public halves of its keys, each proved by a signature, and no secret. */
export const joinRequestSchema = z.strictObject({
  schema: z.literal('regulon.join/1'),
  federationId,
  /** id of the invitation that it answers */
  invitation: z.string().regex(/^[0-9a-f]{32}$/),
  enrolment: enrolmentRequestSchema,
  stewardKey: key,
  administratorKey: key,
  at: time,
  /** of the four keys, over everything above */
  signatures: z.strictObject({
    identity: signature,
    cosigner: signature,
    steward: signature,
    administrator: signature,
  }),
  /** HMAC-SHA-256 under the token of the invitation, over the same */
  proof: z.string().regex(/^[0-9a-f]{64}$/),
});
export type JoinRequest = z.infer<typeof joinRequestSchema>;

type Role = keyof JoinRequest['signatures'];
const ROLES: readonly Role[] = ['identity', 'cosigner', 'steward', 'administrator'];

/** What a site puts into its request; seeds of 32 bytes. */
export interface RequestParts {
  readonly invitation: Invitation;
  readonly enrolment: EnrolmentRequest;
  readonly seeds: Readonly<Record<Role, Uint8Array>>;
  readonly now: Date;
}

/** The request of a site, signed by each of its keys. */
export function joinRequest({ invitation, enrolment, seeds, now }: RequestParts): JoinRequest {
  const unsigned = {
    schema: 'regulon.join/1' as const,
    federationId: invitation.federationId,
    invitation: invitation.id,
    enrolment,
    stewardKey: hex(publicKeyOf(seeds.steward)),
    administratorKey: hex(publicKeyOf(seeds.administrator)),
    at: now.toISOString(),
  };
  const digest = digestOf(unsigned);
  const sign = (role: Role): string => hex(signEd25519(seeds[role], digest));
  const signatures = {
    ...{ identity: sign('identity'), cosigner: sign('cosigner') },
    ...{ steward: sign('steward'), administrator: sign('administrator') },
  };
  return { ...unsigned, signatures, proof: hex(proofOf(invitation, digest)) };
}

/**
 * Check a request against the invitation that it answers; whether that is still open, the book of invitations says.
 *
 * @throws E_ROSTER naming the key that is weak, stands twice or did not sign; E_INVITATION when the token did not
 * authenticate these bytes
 */
export function verifyJoinRequest(request: JoinRequest, invitation: Invitation): void {
  const { signatures, proof, ...unsigned } = request;
  const { name, org } = request.enrolment;
  const refuse = (what: string, code: 'E_ROSTER' | 'E_INVITATION' = 'E_ROSTER'): never => {
    const hint = 'take nothing from this file; ask the site for its request again, by another way';
    throw new RegulonError(code, `the request of ${name}: ${what}`, { hint });
  };
  const keys = keysOf(request);
  for (const role of ROLES) {
    if (!isAcceptablePublicKey(fromHex(keys[role])))
      refuse(`the ${role} key is no Ed25519 point of large order`);
  }
  if (new Set(Object.values(keys)).size < ROLES.length) refuse('one key stands in two roles');
  const digest = digestOf(unsigned);
  if (!timingSafeEqual(proofOf(invitation, digest), fromHex(proof, 32)))
    refuse('it was changed on the way, or the token of the invitation is another one', 'E_INVITATION');
  if (name !== invitation.site || org !== invitation.org || request.federationId !== invitation.federationId)
    refuse(`the invitation is for ${invitation.site} (${invitation.org}) in ${invitation.federationId}`);
  for (const role of ROLES) {
    if (!verifyEd25519(fromHex(keys[role]), digest, fromHex(signatures[role])))
      refuse(`the ${role} key did not sign it`);
  }
  if (!verifyEnrolment(request.enrolment)) refuse('the identity key did not sign what it says of itself');
}

/** The four public keys of a request, hexadecimal. */
function keysOf({ enrolment, stewardKey, administratorKey }: JoinRequest): Readonly<Record<Role, string>> {
  const { statementKey: identity, cosignerKey: cosigner } = enrolment;
  return { identity, cosigner, steward: stewardKey, administrator: administratorKey };
}

/** H_x("join") of a request without its signatures and proof, 32 bytes. */
function digestOf(unsigned: Omit<JoinRequest, 'signatures' | 'proof'>): Uint8Array {
  return hashJson('join', utf8(canonicalJson(unsigned)));
}

function proofOf({ token }: Invitation, digest: Uint8Array): Buffer {
  return createHmac('sha256', fromHex(token, 32)).update(digest).digest();
}
