import { Authority } from '@regulon/coordinator/authority';
import { join } from 'node:path';
import { type EnrolmentRequest, writeKeyFile } from '@regulon/client/enrol';
import type { Roster } from '@regulon/shared/plan';
import { type Addresses, writePublic } from '../../enrolment/index.js';
import type { FederationFolder } from './folder.js';

/**
 * Make the federation's authority, and let it answer every site's request and serve the coordinator.
 *
 * @throws E_CERTIFICATE when a request is not signed by its own key
 */
export async function issueCertificates(
  folder: FederationFolder,
  roster: Roster,
  requests: readonly EnrolmentRequest[],
  addresses: Addresses,
): Promise<void> {
  const authority = await Authority.create(roster.federationId);
  writePublic(join(folder.federation, 'ca.pem'), authority.certificate);
  writeKeyFile(join(folder.authority, 'ca.key.pem'), await authority.privateKey());
  const server = await authority.issueServer({ dns: ['localhost'], ip: [addresses.host] });
  writePublic(join(folder.coordinator, 'tls.cert.pem'), server.certificate);
  writeKeyFile(join(folder.coordinator, 'tls.key.pem'), server.privateKey);
  for (const member of roster.members) {
    const request = requests.find((r) => r.name === member.name);
    const certificate = await authority.issueSite(request?.csrPem ?? '', {
      ...member,
      identityKey: member.key,
    });
    writePublic(join(folder.site(member.name), 'tls.cert.pem'), certificate);
  }
}
