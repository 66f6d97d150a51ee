import { existsSync, readFileSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { readKeyFile, writeKeyFile } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import type { Roster } from '@regulon/shared/plan';
import { Authority } from '@regulon/coordinator/authority';
import { admittedRequests } from './founder.js';
import type { FounderFolder } from './founder-folder.js';
import { writePublic } from './public-files.js';
import { renewalsOf } from './renewal.js';
import { rosterChainOf } from './roster-chain.js';

/** The authority of a federation. @throws E_KEY_FILE, E_CERTIFICATE */
export function loadAuthority(folder: FounderFolder): Promise<Authority> {
  const { certificateDays } = folder.terms();
  const certificate = readFileSync(folder.authorityFile, 'utf8');
  return Authority.load(certificate, readKeyFile(folder.authorityKeyFile), certificateDays);
}

/**
 * A certificate for every member of a roster, for the TLS key in its newest renewal, or else in its request.
 *
 * @returns PEM by the name of the site
 * @throws E_CERTIFICATE when a request is not signed by its own key; E_ROSTER when a member has no request with its key
 */
export async function issueSiteCertificates(
  authority: Authority,
  folder: FounderFolder,
  roster: Roster,
): Promise<Record<string, string>> {
  const requests = admittedRequests(folder);
  const { rosters } = rosterChainOf(folder);
  const renewals = renewalsOf(folder);
  const certificates: Record<string, string> = {};
  for (const { id, name, key } of roster.members) {
    // an identity key may have been exchanged since the site asked to join
    const held = rosters.flatMap(({ members }) => members.filter((m) => m.id === id).map((m) => m.key));
    const request = requests.find(({ enrolment }) => held.includes(enrolment.statementKey));
    if (!request)
      throw new RegulonError('E_ROSTER', `no request of ${name} holds the identity key of the roster`);
    certificates[name] = await authority.issueSite(renewals.get(name)?.csrPem ?? request.enrolment.csrPem, {
      id,
      name,
      identityKey: key,
    });
  }
  return certificates;
}

/** A new certificate for the coordinator, with a new key, in its folder. */
export async function issueServerCertificate(
  folder: FounderFolder,
  authority: Authority,
  host: string,
): Promise<void> {
  const names = isIP(host) === 0 ? { dns: [host], ip: [] } : { dns: ['localhost'], ip: [host] };
  const { certificate, privateKey } = await authority.issueServer(names);
  const keyFile = join(folder.coordinator, 'tls.key.pem');
  if (existsSync(keyFile)) rmSync(keyFile);
  writeKeyFile(keyFile, privateKey);
  writePublic(join(folder.coordinator, 'tls.cert.pem'), certificate);
}
