import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { hex, sha256, utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  rosterChangesSchema,
  rosterHashOf,
  type SignedRoster,
  signedRosterSchema,
  verifyInForce,
} from '@regulon/shared/plan';
import { openEntry, parseEntry, signedPayloadOf, verifyGenesisOfRoster } from '@regulon/shared/transparency';
import { siteUri } from '@regulon/coordinator/authority';
import { coordinatorAddress } from './fields.js';
import { quorumPolicyOf } from './quorum-policy.js';
import { chainOf } from './roster-chain.js';

const pem = z.string().max(20_000);

/** What the founder sends to every site when the federation stands; nothing in it is secret. */
export const federationFileSchema = z.strictObject({
  schema: z.literal('regulon.federation/1'),
  coordinator: coordinatorAddress,
  /** the founding roster */
  roster: signedRosterSchema,
  /** the rosters that followed it, oldest first */
  changes: rosterChangesSchema.default([]),
  /** entry 0 of the log */
  genesis: z.base64().max(4 << 20),
  quorumPolicy: z.string().max(1 << 20),
  /** certificate of the authority */
  authority: pem,
  /** certificate of each site, by its name */
  certificates: z.record(z.string(), pem),
});
export type FederationFile = z.infer<typeof federationFileSchema>;

/** What a site knows of its own before it believes a federation. */
export interface OwnFacts {
  readonly site: string;
  readonly identityKey: string;
  readonly cosignerKey: string;
  readonly stewardKey: string;
  /** keys that the site has handed over to */
  readonly pending: { readonly [role in 'site' | 'cosigner' | 'steward']?: string };
  /** from the invitation */
  readonly federationId: string;
  readonly coordinatorKey: string;
  readonly authority: string;
}

/** Digest of an authority's certificate as invitations name it: SHA-256 of the file, hexadecimal. */
export const authorityDigest = (certificate: string): string => hex(sha256(utf8(certificate)));

/**
 * The row of a site in a roster is what the site itself made, and the federation the one that invited it.
 *
 * @throws E_ROSTER naming what is another
 */
export function verifyOwnRow(roster: z.infer<typeof signedRosterSchema>['roster'], own: OwnFacts): void {
  const refuse = (what: string): never => {
    throw new RegulonError(
      'E_ROSTER',
      `roster of ${roster.federationId} version ${roster.version}: ${what}`,
      {
        hint: 'sign and install nothing; tell the other administrators, and keep the file as evidence',
      },
    );
  };
  if (roster.federationId !== own.federationId) refuse(`this site was invited to ${own.federationId}`);
  if (roster.coordinatorKey !== own.coordinatorKey)
    refuse('the coordinator is another one than invited this site');
  const row = roster.members.find(({ name }) => name === own.site);
  if (!row) return refuse(`it does not list ${own.site}`);
  const keys = [
    ['identity', row.key, own.identityKey, own.pending.site],
    ['cosigner', row.cosignerKey, own.cosignerKey, own.pending.cosigner],
    ['steward', row.stewardKey, own.stewardKey, own.pending.steward],
  ] as const;
  for (const [role, listed, made, next] of keys) {
    if (listed !== made && listed !== next)
      refuse(`the ${role} key of ${own.site} is not the one that this site made`);
  }
}

/**
 * Check everything that a site installs.
 *
 * @param tlsKeys public halves of this site's TLS keys, the one in service and the one to come, SPKI DER
 * @param now ms since the epoch
 * @returns the roster in force
 * @throws E_ROSTER when the roster is not signed by enough administrators, not in force, or other than this site knows;
 * E_LOG_ENTRY when a founder did not sign entry 0; E_CERTIFICATE when the certificate is not for this site's key
 */
export function verifyFederationFile(
  file: FederationFile,
  own: OwnFacts,
  tlsKeys: readonly Buffer[],
  now: number,
): SignedRoster {
  const { last } = chainOf(file.roster, file.changes);
  const { roster } = last;
  verifyOwnRow(roster, own);
  verifyInForce(roster, now);
  const genesis = Uint8Array.from(Buffer.from(file.genesis, 'base64'));
  const implied = verifyGenesisOfRoster(signedPayloadOf(genesis, parseEntry(genesis)), file.roster);
  openEntry(genesis, undefined, implied.resolve);
  if (quorumPolicyOf(genesis, file.roster, file.changes) !== file.quorumPolicy)
    throw new RegulonError(
      'E_ROSTER',
      `the quorum policy is not the one that roster ${hex(rosterHashOf(roster))} implies`,
    );
  const { id, key: identityKey } = roster.members.find(({ name }) => name === own.site) ?? { id: 0, key: '' };
  verifyCertificate(file, own, tlsKeys, { id, identityKey, now });
  return last;
}

function verifyCertificate(
  file: FederationFile,
  own: OwnFacts,
  tlsKeys: readonly Buffer[],
  { id, identityKey, now }: { readonly id: number; readonly identityKey: string; readonly now: number },
): void {
  const refuse = (what: string): never => {
    throw new RegulonError('E_CERTIFICATE', `the certificate of ${own.site} ${what}`, {
      hint: 'install nothing; ask the founder for the file again',
    });
  };
  if (authorityDigest(file.authority) !== own.authority)
    refuse('is from another authority than the invitation names');
  const text = file.certificates[own.site];
  if (text === undefined) return refuse('is missing');
  const certificate = readCertificate(text) ?? refuse('cannot be read');
  const authority = readCertificate(file.authority) ?? refuse('has an authority that cannot be read');
  if (!certificate.verify(authority.publicKey)) refuse('is not signed by the authority');
  if (certificate.subjectAltName !== `URI:${siteUri({ id, identityKey })}`)
    refuse('does not name this site and its identity key');
  if (Date.parse(certificate.validTo) <= now) refuse(`ended at ${certificate.validTo}`);
  const key = certificate.publicKey.export({ format: 'der', type: 'spki' });
  if (!tlsKeys.some((own) => own.equals(key))) refuse('is not for the TLS key that this site made');
}

function readCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text);
  } catch {
    return undefined;
  }
}
