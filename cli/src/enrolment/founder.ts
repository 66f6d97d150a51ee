import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { writeKeyFile } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict, type Roster } from '@regulon/shared/plan';
import { refuseIdentifying } from '@regulon/shared/transparency';
import { readJsonFile } from '../files/index.js';
import { Authority } from '@regulon/coordinator/authority';
import { makeCoordinatorKeys, readCoordinatorSeeds } from './coordinator-keys.js';
import { authorityDigest } from './federation-file.js';
import { organisation, siteName } from './fields.js';
import type { FounderFolder, Terms } from './founder-folder.js';
import { type Invitation, issueInvitation, refused } from './invitation.js';
import { InvitationBook } from './invitation-book.js';
import { type JoinRequest, joinRequestSchema } from './join-request.js';
import { writePrivate, writePublic } from './public-files.js';
import { rosterChainOf } from './roster-chain.js';
import { verifyTermsHold } from './terms-rules.js';

/**
 * Begin a federation: terms, keys of the coordinator, the authority.
 *
 * @throws E_ARGUMENT when the terms cannot hold together, or the folder is in use; then nothing is written
 */
export async function createFederation(folder: FounderFolder, terms: Terms): Promise<void> {
  verifyTermsHold(terms);
  folder.create();
  makeCoordinatorKeys(folder.coordinator);
  const authority = await Authority.create(terms.federationId, terms.certificateDays);
  writeKeyFile(folder.authorityKeyFile, await authority.privateKey());
  writePublic(folder.authorityFile, authority.certificate);
  writePublic(join(folder.federation, 'coordinator.json'), JSON.stringify(terms.coordinator));
  writePrivate(folder.termsFile, terms);
}

/** What a founder may say of a hospital; narrower than what a site reads, so that no roster fails on it later. */
const invitedSchema = z.strictObject({ site: siteName, org: organisation });

/**
 * Invite a site.
 *
 * @param days until the invitation ends
 * @throws E_ARGUMENT for a name that is none, or that a site has, had or has asked for; then nothing is kept
 */
export function invite(
  folder: FounderFolder,
  site: { readonly site: string; readonly org: string },
  days: number,
  now: Date,
): Invitation {
  const { federationId, coordinator } = folder.terms();
  parseStrict(invitedSchema, site, 'the invitation', 'E_ARGUMENT');
  refuseIdentifying('the invitation', site);
  verifyFree(folder, site.site);
  const { host, controlPort, bulkPort } = coordinator;
  const { statement } = readCoordinatorSeeds(folder.coordinator);
  const authority = authorityDigest(readFileSync(folder.authorityFile, 'utf8'));
  const terms = { ...site, federationId, coordinator: { host, controlPort, bulkPort }, authority, now, days };
  const invitation = issueInvitation(terms, statement);
  new InvitationBook(folder.bookFile).add(invitation);
  return invitation;
}

/** A name stands for one site for ever: what it signed is judged by its name. */
function verifyFree(folder: FounderFolder, name: string): void {
  const rosters = folder.stands ? rosterChainOf(folder).rosters : [];
  const has = ({ members }: Roster): boolean => members.some((member) => member.name === name);
  if (rosters.some(has)) {
    const state = rosters.slice(-1).some(has) ? 'is a member' : 'was a member';
    throw new RegulonError('E_ARGUMENT', `${name} ${state} of this federation; its name is not given again`, {
      hint: 'invite the hospital under a name that no member has or had; it makes new keys',
    });
  }
  const request = requestFile(folder, name);
  if (!existsSync(request)) return;
  throw new RegulonError('E_ARGUMENT', `${name} has asked to join already`, {
    hint: `propose the roster; or, where its keys are lost, remove ${request} and invite it again`,
  });
}

const requestFile = (folder: FounderFolder, name: string): string => join(folder.requests, `${name}.json`);

/** Take the request of a site. @throws E_INVITATION, E_ROSTER, E_CLOCK; then nothing is kept */
export function admit(folder: FounderFolder, request: JoinRequest, now: Date): void {
  folder.terms();
  const { name } = request.enrolment;
  const path = requestFile(folder, name);
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
