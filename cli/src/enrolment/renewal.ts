import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { createCertificateRequest, keyPathsOf, loadSiteKeys, writeKeyFile } from '@regulon/client/enrol';
import {
  canonicalJson,
  fromHex,
  hashJson,
  hex,
  signEd25519,
  utf8,
  verifyEd25519,
} from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { Roster } from '@regulon/shared/plan';
import { readJsonFile } from '../files/index.js';
import { federationId, signature, siteName, time } from './fields.js';
import type { FounderFolder } from './founder-folder.js';
import { SKEW_MS } from './invitation.js';
import { writePrivate } from './public-files.js';
import type { SiteFolder } from './site-folder.js';

/** a renewal on its way for longer than that is made again */
const MAX_AGE_MS = 30 * 86_400_000;

/** A member asks for a certificate for a new TLS key; it holds nothing secret. */
export const renewalSchema = z.strictObject({
  schema: z.literal('regulon.renewal/1'),
  federationId,
  site: siteName,
  csrPem: z.string().max(10_000),
  at: time,
  /** by the identity key of the site */
  signature,
});
export type Renewal = z.infer<typeof renewalSchema>;

/** Where a TLS key lies until its certificate is installed. */
export const nextTlsKeyOf = (folder: SiteFolder): string =>
  join(keyPathsOf(folder.state).folder, 'tls.next.key.pem');

/**
 * A new TLS key, and the request for its certificate; the key in service stays until the certificate is installed.
 *
 * A renewal that was made before and not installed is void.
 *
 * @throws E_ARGUMENT when the site is not a member yet; E_KEY_FILE
 */
export async function renewSite(folder: SiteFolder, now: Date): Promise<Renewal> {
  const { invitation, pinned } = folder.record();
  if (pinned === null) {
    throw new RegulonError('E_ARGUMENT', `${invitation.site} has installed no federation yet`, {
      hint: '`regulon site install` comes first',
    });
  }
  const { federationId: fed, site } = invitation;
  const { keyPem, csrPem } = await createCertificateRequest(site);
  rmSync(nextTlsKeyOf(folder), { force: true });
  writeKeyFile(nextTlsKeyOf(folder), keyPem);
  const unsigned = {
    schema: 'regulon.renewal/1' as const,
    federationId: fed,
    site,
    csrPem,
    at: now.toISOString(),
  };
  const { identity } = loadSiteKeys(folder.state);
  return { ...unsigned, signature: hex(signEd25519(identity, digestOf(unsigned))) };
}

/**
 * Take a renewal: its site is a member, and signed it with the identity key of the roster.
 *
 * @param now ms since the epoch
 * @throws E_ROSTER when not, or when a newer one was taken; E_CLOCK when it comes from the future or is too old
 */
export function takeRenewal(folder: FounderFolder, renewal: Renewal, roster: Roster, now: number): void {
  const { signature: bytes, ...unsigned } = renewal;
  const refuse = (what: string, code: 'E_ROSTER' | 'E_CLOCK' = 'E_ROSTER'): never => {
    const hint = 'let the site make a new one with `regulon site renew`';
    throw new RegulonError(code, `the renewal of ${renewal.site}: ${what}`, { hint });
  };
  const member = roster.members.find(({ name }) => name === renewal.site);
  if (!member || renewal.federationId !== roster.federationId)
    return refuse(`it is no member of ${roster.federationId}`);
  if (!verifyEd25519(fromHex(member.key), digestOf(unsigned), fromHex(bytes)))
    refuse('the identity key of the roster did not sign it');
  const age = now - Date.parse(renewal.at);
  if (age < -SKEW_MS || age > MAX_AGE_MS)
    refuse(`it is from ${renewal.at}, and now is ${new Date(now).toISOString()}`, 'E_CLOCK');
  const before = renewalsOf(folder).get(renewal.site);
  if (before && before.at > renewal.at) refuse(`a newer one, from ${before.at}, was taken`);
  writePrivate(join(folder.renewals, `${renewal.site}.json`), renewal);
}

/** Certificate requests of renewals that were taken, by the names of their sites. */
export function renewalsOf(folder: FounderFolder): Map<string, Renewal> {
  const names = existsSync(folder.renewals) ? readdirSync(folder.renewals) : [];
  const files = names.filter((name) => name.endsWith('.json'));
  const read = files.map((name) => readJsonFile(join(folder.renewals, name), renewalSchema, 'E_CONFIG'));
  return new Map(read.map((renewal) => [renewal.site, renewal]));
}

function digestOf(unsigned: Omit<Renewal, 'signature'>): Uint8Array {
  return hashJson('renewal', utf8(canonicalJson(unsigned)));
}
