import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeKeyFile } from '@regulon/client/enrol';
import { readJsonFile } from '../files/index.js';
import { Authority } from '@regulon/coordinator/authority';
import { makeCoordinatorKeys, readCoordinatorSeeds } from './coordinator-keys.js';
import { authorityDigest } from './federation-file.js';
import type { FounderFolder, Terms } from './founder-folder.js';
import { type Invitation, issueInvitation, refused } from './invitation.js';
import { InvitationBook } from './invitation-book.js';
import { type JoinRequest, joinRequestSchema } from './join-request.js';
import { writePrivate, writePublic } from './public-files.js';

/** Begin a federation: terms, keys of the coordinator, the authority. @throws E_ARGUMENT when the folder is in use */
export async function createFederation(folder: FounderFolder, terms: Terms): Promise<void> {
  folder.create();
  makeCoordinatorKeys(folder.coordinator);
  const authority = await Authority.create(terms.federationId, terms.certificateDays);
  writeKeyFile(folder.authorityKeyFile, await authority.privateKey());
  writePublic(folder.authorityFile, authority.certificate);
  writePublic(join(folder.federation, 'coordinator.json'), JSON.stringify(terms.coordinator));
  writePrivate(folder.termsFile, terms);
}

/** Invite a site. @param days until the invitation ends */
export function invite(
  folder: FounderFolder,
  site: { readonly site: string; readonly org: string },
  days: number,
  now: Date,
): Invitation {
  const { federationId, coordinator } = folder.terms();
  const { host, controlPort, bulkPort } = coordinator;
  const { statement } = readCoordinatorSeeds(folder.coordinator);
  const authority = authorityDigest(readFileSync(folder.authorityFile, 'utf8'));
  const terms = { ...site, federationId, coordinator: { host, controlPort, bulkPort }, authority, now, days };
  const invitation = issueInvitation(terms, statement);
  new InvitationBook(folder.bookFile).add(invitation);
  return invitation;
}

/** Take the request of a site. @throws E_INVITATION, E_ROSTER, E_CLOCK; then nothing is kept */
export function admit(folder: FounderFolder, request: JoinRequest, now: Date): void {
  folder.terms();
  const { name } = request.enrolment;
  const path = join(folder.requests, `${name}.json`);
  const before = existsSync(path) ? readJsonFile(path, joinRequestSchema, 'E_CONFIG') : null;
  if (before !== null && before.invitation !== request.invitation) {
    throw refused(
      name,
      'is a second one: the site was admitted before',
      `remove ${path} to take the new request`,
    );
  }
  new InvitationBook(folder.bookFile).redeem(request, now.getTime());
  writePrivate(path, request);
}

/** Requests that were admitted, by the names of their sites. */
export function admittedRequests(folder: FounderFolder): JoinRequest[] {
  const names = readdirSync(folder.requests).filter((name) => name.endsWith('.json'));
  return names.sort().map((name) => readJsonFile(join(folder.requests, name), joinRequestSchema, 'E_CONFIG'));
}
