import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createCertificateRequest, keyPathsOf, loadSiteKeys, writeKeyFile } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import { type Renewal, renewalSchema, type Roster, signRenewal, verifyRenewal } from '@regulon/shared/plan';
import { readJsonFile } from '../files/index.js';
import type { FounderFolder } from './founder-folder.js';
import { writePrivate } from './public-files.js';
import type { SiteFolder } from './site-folder.js';

/** a renewal on its way for longer than that is made again */
const MAX_AGE_MS = 30 * 86_400_000;

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
  const { identity } = loadSiteKeys(folder.state);
  return signRenewal({ federationId: fed, site, csrPem, at: now.toISOString() }, identity);
}

/**
 * Take a renewal: its site is a member, and signed it with the identity key of the roster.
 *
 * @param now ms since the epoch
 * @throws E_ROSTER when not, or when a newer one was taken; E_CLOCK when it comes from the future or is too old
 */
export function takeRenewal(folder: FounderFolder, renewal: Renewal, roster: Roster, now: number): void {
  verifyRenewal(renewal, roster, now, MAX_AGE_MS);
  const before = renewalsOf(folder).get(renewal.site);
  if (before && before.at > renewal.at)
    throw new RegulonError(
      'E_ROSTER',
      `the renewal of ${renewal.site}: a newer one, from ${before.at}, was taken`,
      { hint: 'let the site make a new one with `regulon site renew`' },
    );
  writePrivate(join(folder.renewals, `${renewal.site}.json`), renewal);
}

/** Certificate requests of renewals that were taken, by the names of their sites. */
export function renewalsOf(folder: FounderFolder): Map<string, Renewal> {
  const names = existsSync(folder.renewals) ? readdirSync(folder.renewals) : [];
  const files = names.filter((name) => name.endsWith('.json'));
  const read = files.map((name) => readJsonFile(join(folder.renewals, name), renewalSchema, 'E_CONFIG'));
  return new Map(read.map((renewal) => [renewal.site, renewal]));
}
