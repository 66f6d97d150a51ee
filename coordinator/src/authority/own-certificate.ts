import { X509Certificate } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { utf8 } from '@regulon/shared/crypto';
import { writeDurably } from '../audit/index.js';
import type { Authority } from './authority.js';

const DAY_MS = 86_400_000;

/** The coordinator's own certificate, and where it lies. */
export interface OwnCertificate {
  /** PEM */
  readonly cert: string;
  /** PKCS#8 PEM of its key */
  readonly key: string;
  readonly file: string;
}

/**
 * Renew the coordinator's certificate at its start, when it is older than a day: the same names, the same key.
 *
 * @param now ms since the epoch
 * @returns PEM of the certificate in force, which is on disk
 * @throws E_DISK_FULL, E_STATE_DB when it cannot be written; the old one stays then
 */
export async function renewOwnCertificate(
  authority: Authority,
  { cert, key, file }: OwnCertificate,
  now: number,
): Promise<string> {
  const present = new X509Certificate(cert);
  if (now < Date.parse(present.validFrom) + DAY_MS) return cert;
  const names = (present.subjectAltName ?? '').split(', ');
  const of = (prefix: string): string[] =>
    names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  const { certificate } = await authority.issueServer({ dns: of('DNS:'), ip: of('IP Address:') }, key);
  await writeDurably(dirname(file), [{ path: basename(file), bytes: utf8(certificate) }]);
  return certificate;
}
