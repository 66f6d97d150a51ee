import { existsSync } from 'node:fs';
import { initSite, keyPathsOf, privateFolder, readSeedFile } from '@regulon/client/enrol';
import { RegulonError } from '@regulon/shared/errors';
import { type Invitation, verifyInvitation } from './invitation.js';
import { type JoinRequest, joinRequest } from './join-request.js';
import { keyFileOf, Person } from './person.js';
import { writePrivate } from './public-files.js';
import type { SiteFolder, SiteRecord } from './site-folder.js';

/**
 * Make all keys of a site, and its request: the private halves stay in the folder.
 *
 * @throws E_INVITATION, E_CLOCK before anything is made; E_ARGUMENT or E_KEY_FILE when there are keys already, which
 * are never overwritten
 */
export async function joinSite(folder: SiteFolder, invitation: Invitation, now: Date): Promise<JoinRequest> {
  verifyInvitation(invitation, now.getTime());
  if (existsSync(folder.recordFile) || existsSync(folder.state)) {
    throw new RegulonError('E_ARGUMENT', `${folder.root} holds a site already`, {
      hint: 'choose an empty folder; keys are never overwritten',
    });
  }
  [folder.root, folder.people].forEach(privateFolder);
  const { site, org } = invitation;
  const enrolment = await initSite(folder.state, site, org);
  for (const role of ['steward', 'administrator'] as const) Person.create(folder.people, role, site);
  const request = joinRequest({ invitation, enrolment, seeds: seedsOf(folder, site), now });
  writePrivate(folder.recordFile, recordOf(invitation, request));
  return request;
}

function seedsOf(folder: SiteFolder, site: string): Parameters<typeof joinRequest>[0]['seeds'] {
  const { identity, cosigner } = keyPathsOf(folder.state);
  return {
    identity: readSeedFile(identity),
    cosigner: readSeedFile(cosigner),
    steward: readSeedFile(keyFileOf(folder.people, 'steward', site)),
    administrator: readSeedFile(keyFileOf(folder.people, 'administrator', site)),
  };
}

function recordOf(invitation: Invitation, request: JoinRequest): SiteRecord {
  const { token: _token, signature: _signature, ...known } = invitation;
  return {
    schema: 'regulon.site-enrolment/1',
    invitation: known,
    identityKey: request.enrolment.statementKey,
    cosignerKey: request.enrolment.cosignerKey,
    stewardKey: request.stewardKey,
    administratorKey: request.administratorKey,
    pending: {},
    founding: null,
    pinned: null,
  };
}

/** What a site compares a roster with. */
export function ownFacts({ invitation, ...keys }: SiteRecord): {
  readonly site: string;
  readonly federationId: string;
  readonly coordinatorKey: string;
  readonly authority: string;
} & Pick<SiteRecord, 'identityKey' | 'cosignerKey' | 'stewardKey' | 'pending'> {
  const { site, federationId, coordinatorKey, authority } = invitation;
  return { site, federationId, coordinatorKey, authority, ...keys };
}
