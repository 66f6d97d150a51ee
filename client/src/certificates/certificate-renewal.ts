import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { utf8 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { signRenewal } from '@regulon/shared/plan';
import { writeWhole } from '../files/index.js';
import type { CoordinatorLink } from '../transport/index.js';
import { createCertificateRequest, readKeyFile } from '../enrol/index.js';

/** What a renewal is about: files of the site, and who it is. */
export interface RenewedSite {
  readonly tls: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly site: string;
  readonly federationId: string;
  /** seed of the identity key, 32 bytes */
  readonly identity: Uint8Array;
}

/** A certificate is renewed when it has less left than this part of its life. */
const LAST_PART = 1 / 3;

/** Whether the certificate of a site should be renewed. @param now ms since the epoch */
export function isRenewalDue({ tls }: Pick<RenewedSite, 'tls'>, now: number): boolean {
  const { validFrom, validTo } = new X509Certificate(readFileSync(tls.cert));
  const [from, to] = [Date.parse(validFrom), Date.parse(validTo)];
  return now > to - (to - from) * LAST_PART;
}

/**
 * Ask the coordinator for a certificate for the same TLS key, and put it in the place of the old one.
 *
 * @returns PEM of the new one, which is on disk
 * @throws E_NOT_FOUND when the coordinator issues none; E_CERTIFICATE when the answer is no certificate of the pinned
 *   authority for this site and key, or does not hold longer; the old one stays then
 */
export async function renewCertificate(
  { tls, site, federationId, identity }: RenewedSite,
  link: Pick<CoordinatorLink, 'exchange'>,
  now: number,
): Promise<string> {
  const keyPem = readKeyFile(tls.key);
  const { csrPem } = await createCertificateRequest(site, keyPem);
  const renewal = signRenewal({ federationId, site, csrPem, at: new Date(now).toISOString() }, identity);
  const { certificate } = await link.exchange({
    type: 'renewCertificate',
    renewal: utf8(JSON.stringify(renewal)),
  });
  const [old, ca] = [tls.cert, tls.ca].map((path) => new X509Certificate(readFileSync(path)));
  verifyRenewed(certificate, keyPem, { old, ca }, now);
  await writeWhole(tls.cert, 'the certificate', (part) => writeFile(part, certificate, { mode: 0o600 }));
  return certificate;
}

function verifyRenewed(
  pem: string,
  keyPem: string,
  { old, ca }: { readonly old?: X509Certificate | undefined; readonly ca?: X509Certificate | undefined },
  now: number,
): void {
  const refuse = (what: string): never => {
    throw new RegulonError('E_CERTIFICATE', `the certificate that the coordinator sent ${what}`);
  };
  const renewed = parsed(pem) ?? refuse('cannot be read');
  if (ca === undefined || !renewed.checkIssued(ca) || !renewed.verify(ca.publicKey))
    refuse('is not of the authority of this federation');
  if (!renewed.checkPrivateKey(createPrivateKey(keyPem))) refuse('is for another key');
  if (renewed.subjectAltName !== old?.subjectAltName) refuse('names another site');
  if (Date.parse(renewed.validFrom) > now || Date.parse(renewed.validTo) <= Date.parse(old?.validTo ?? ''))
    refuse('does not hold longer than the present one');
}

function parsed(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}
