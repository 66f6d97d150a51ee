import { z } from 'zod';
import {
  canonicalJson,
  fromHex,
  hashJson,
  hex,
  publicKeyOf,
  randomBytes,
  signEd25519,
  utf8,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { coordinatorAddress, federationId, key, signature, siteName, time } from './fields.js';

const DAY_MS = 86_400_000;
/** clocks of two parties may differ so much */
export const SKEW_MS = 300_000;

/** What the founder sends to a hospital; it holds a secret, so it travels like a password. */
export const invitationSchema = z.strictObject({
  schema: z.literal('regulon.invitation/1'),
  id: z.string().regex(/^[0-9a-f]{32}$/, '16 bytes in hexadecimal'),
  federationId,
  site: siteName,
  org: z.string().min(1).max(100),
  coordinator: coordinatorAddress,
  /** statement key CK of the coordinator: what the roster must name */
  coordinatorKey: key,
  /** SHA-256 of the authority's certificate as the file `ca.pem` holds it */
  authority: key,
  issuedAt: time,
  expiresAt: time,
  /** secret that works once: it authenticates the request that answers this invitation */
  token: key,
  /** by CK */
  signature,
});
export type Invitation = z.infer<typeof invitationSchema>;

/** What the founder decides of an invitation. */
export type InvitationTerms = Pick<
  Invitation,
  'federationId' | 'site' | 'org' | 'coordinator' | 'authority'
> & {
  readonly now: Date;
  readonly days: number;
};

/** A new invitation with a fresh token. @param statement seed of CK, 32 bytes */
export function issueInvitation({ now, days, ...terms }: InvitationTerms, statement: Uint8Array): Invitation {
  const unsigned = {
    schema: 'regulon.invitation/1' as const,
    id: hex(randomBytes(16)),
    ...terms,
    coordinatorKey: hex(publicKeyOf(statement)),
    issuedAt: now.toISOString(),
    expiresAt: new Date(now.getTime() + days * DAY_MS).toISOString(),
    token: hex(randomBytes(32)),
  };
  return { ...unsigned, signature: hex(signEd25519(statement, digestOf(unsigned))) };
}

/**
 * Check an invitation at the site that got it.
 *
 * Whether its coordinator key is the federation's, only a person can tell: it is shown, to be compared by telephone.
 *
 * @param now ms since the epoch
 * @throws E_INVITATION when it was changed or has expired; E_CLOCK when it comes from the future
 */
export function verifyInvitation(invitation: Invitation, now: number): void {
  const { signature: bytes, ...unsigned } = invitation;
  if (!verifyEd25519(fromHex(invitation.coordinatorKey), digestOf(unsigned), fromHex(bytes))) {
    throw refused(invitation.site, 'was changed after it was signed');
  }
  verifyTerm(invitation, now);
}

/** @throws E_INVITATION after its end; E_CLOCK before its beginning */
export function verifyTerm({ site, issuedAt, expiresAt }: Invitation, now: number): void {
  if (now + SKEW_MS < Date.parse(issuedAt)) {
    throw new RegulonError(
      'E_CLOCK',
      `the invitation of ${site} is from ${issuedAt}, the clock of this machine says ${timeText(now)}`,
      { hint: 'compare both clocks with a reference and set the wrong one' },
    );
  }
  if (now >= Date.parse(expiresAt)) {
    throw refused(
      site,
      `expired at ${expiresAt}; the clock of this machine says ${timeText(now)}`,
      'check the clock of this machine; if it is right, ask the founder for a new invitation',
    );
  }
}

/** An invitation that does not hold, named. */
export function refused(site: string, what: string, hint?: string): RegulonError {
  const words = `the invitation of ${site} ${what}`;
  return new RegulonError('E_INVITATION', words, hint === undefined ? {} : { hint });
}

const timeText = (now: number): string => new Date(now).toISOString();

function digestOf(invitation: Omit<Invitation, 'signature'>): Uint8Array {
  return hashJson('invitation', utf8(canonicalJson(invitation)));
}
