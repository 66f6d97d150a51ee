import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalJson, hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { parseStrict, type Roster, rosterHashOf, rosterSchema, verifySuccessor } from '@regulon/shared/plan';
import { admittedRequests } from './founder.js';
import type { FounderFolder } from './founder-folder.js';
import { openChange } from './founding.js';
import type { JoinRequest } from './join-request.js';
import { type KeyRotation, rosterAfter } from './key-rotation.js';
import { writePrivate, writePublic } from './public-files.js';
import { quorumPolicyOf } from './quorum-policy.js';
import { type RosterChain, rosterChainOf } from './roster-chain.js';
import { membershipTerm } from './roster.js';
import { type RosterChange, signedRosterOf } from './roster-change.js';

/** A sum over fewer sites hides none of them. */
const LEAST_MEMBERS = 3;

type Reason = NonNullable<Roster['follows']>['reason'];

/** What a later roster decides beside its one change. */
export interface ChangeOptions {
  /** administrators who must sign the next roster; by default as many as before */
  readonly k?: number;
  readonly now: Date;
}

/**
 * The roster in which a site that was admitted joins a federation that stands: nobody has signed it.
 *
 * @param site whose request was admitted; by default the only one that is no member
 * @throws E_ARGUMENT when a change is open, or it is not clear who joins; E_ROSTER when it would not hold
 */
export function proposeJoin(
  folder: FounderFolder,
  site: string | undefined,
  options: ChangeOptions,
): RosterChange {
  const chain = rosterChainOf(folder);
  const { roster } = chain.last;
  const past = new Set(chain.rosters.flatMap(({ members }) => members.map(({ name }) => name)));
  const waiting = admittedRequests(folder).filter(({ enrolment: { name } }) => !past.has(name));
  const asked = waiting.filter(({ enrolment }) => site === undefined || enrolment.name === site);
  const [request] = asked;
  if (request === undefined || asked.length > 1) {
    const names = waiting.map(({ enrolment }) => enrolment.name).join(', ');
    throw new RegulonError('E_ARGUMENT', `one site joins at a time; waiting: ${names || 'none'}`, {
      hint: 'admit the request of the site, then name it with --site',
    });
  }
  const members = chain.rosters.flatMap((before) => before.members);
  const admins = chain.rosters.flatMap((before) => before.admins);
  const next = (ids: readonly { readonly id: number }[]): number => Math.max(...ids.map(({ id }) => id)) + 1;
  const member = memberOf(request, next(members), options.now);
  const admin = { id: next(admins), member: member.id, key: request.administratorKey };
  const changes = { members: [...roster.members, member], admins: [...roster.admins, admin] };
  return propose(folder, chain, 'joined', {
    ...changes,
    k: options.k ?? Math.max(roster.k, majorityOf(changes.admins)),
  });
}

/** More than half: two such groups share somebody, so that no two rosters of one version are signed. */
export const majorityOf = (admins: readonly unknown[]): number => Math.floor(admins.length / 2) + 1;

/**
 * The roster that a site has left: nobody has signed it.
 *
 * @throws E_ARGUMENT when a change is open, the site is no member, or too few would be left; E_ROSTER when it would not hold
 */
export function proposeRevoke(
  folder: FounderFolder,
  site: string,
  reason: Reason,
  options: ChangeOptions,
): RosterChange {
  const chain = rosterChainOf(folder);
  const { roster } = chain.last;
  const gone = roster.members.find(({ name }) => name === site);
  if (gone === undefined) {
    throw new RegulonError('E_ARGUMENT', `${site} is no member of ${roster.federationId}`, {
      hint: '`regulon fed members` names them',
    });
  }
  if (roster.members.length <= LEAST_MEMBERS) {
    const words = `${site} cannot leave ${roster.federationId}: ${LEAST_MEMBERS} members at least must stay, it has ${roster.members.length}`;
    throw new RegulonError('E_ARGUMENT', words, {
      hint: 'let another site join first (`regulon fed invite`, `admit`, `propose`), then revoke; if the keys of the site are in wrong hands, stop the coordinator until then',
    });
  }
  return propose(folder, chain, reason, {
    members: roster.members.filter(({ id }) => id !== gone.id),
    admins: roster.admins.filter(({ member }) => member !== gone.id),
    k: options.k ?? roster.k,
  });
}

/**
 * The roster in which a member's key is exchanged: nobody has signed it.
 *
 * @param rotation of the site, attacker-controlled
 * @throws E_ARGUMENT when a change is open; E_ROSTER when old and new key did not sign, or it would not hold
 */
export function proposeRotation(
  folder: FounderFolder,
  rotation: KeyRotation,
  reason: 'routine' | 'compromised',
): RosterChange {
  const chain = rosterChainOf(folder);
  const { roster } = chain.last;
  const changes = { ...rosterAfter(roster, rotation), k: roster.k };
  return propose(folder, chain, reason, changes, { handover: rotation.handover });
}

function propose(
  folder: FounderFolder,
  { last }: RosterChain,
  reason: Reason,
  changes: Pick<Roster, 'members' | 'admins' | 'k'>,
  handed: { readonly handover?: string } = {},
): RosterChange {
  // the founding change stays where it was, after it is done
  if (existsSync(folder.changeFile) && openChange(folder).previous !== null)
    throw new RegulonError('E_ARGUMENT', `${folder.changeFile}: a change is open`, {
      hint: 'let the administrators sign it, or remove the file to begin again',
    });
  const follows = { rosterHash: hex(rosterHashOf(last.roster)), reason, ...handed };
  const built = { ...last.roster, version: last.roster.version + 1, ...changes, follows };
  const roster = parseStrict(rosterSchema, built, 'the roster', 'E_ROSTER');
  if (roster.k > roster.admins.length)
    throw new RegulonError(
      'E_ARGUMENT',
      `${roster.k} of ${roster.admins.length} administrators cannot sign`,
      {
        hint: 'name with --signatures how many must sign the next roster',
      },
    );
  const change: RosterChange = {
    ...{ schema: 'regulon.roster-change/1', previous: last, roster, signatures: [], genesis: null },
  };
  writePrivate(folder.changeFile, change);
  return change;
}

function memberOf({ enrolment, stewardKey }: JoinRequest, id: number, now: Date): Roster['members'][number] {
  const { name, org, statementKey, cosignerKey, memberSignature } = enrolment;
  const keys = { key: statementKey, cosignerKey, stewardKey, selfSignature: memberSignature };
  return { id, name, org, ...keys, ...membershipTerm(now) };
}

/**
 * Take a roster that enough administrators signed as the one in force: it stands in the federation folder, and the
 * coordinator writes it into the log when it starts.
 *
 * @throws E_ROSTER when it does not follow the one in force
 */
export function putInForce(folder: FounderFolder, change: RosterChange): void {
  const { founding, changes, rosters } = rosterChainOf(folder);
  const signed = signedRosterOf(change);
  verifySuccessor(rosters, signed);
  const genesis = Uint8Array.from(readFileSync(join(folder.federation, 'genesis.json')));
  const all = [...changes, signed];
  writePublic(folder.changesFile, canonicalJson(all));
  writePublic(join(folder.federation, 'quorum.policy'), quorumPolicyOf(genesis, founding, all));
  rmSync(folder.changeFile);
}
