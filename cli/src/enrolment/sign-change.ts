import { readSeedFile, signGenesisPayload } from '@regulon/client/enrol';
import { hex, sha256 } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { refusalOf, type Roster, rosterHashOf, verifyInForce } from '@regulon/shared/plan';
import {
  type BodyOf,
  digestText,
  type EntrySignature,
  verifyGenesisOfRoster,
} from '@regulon/shared/transparency';
import { changeLines, fingerprint, shown } from './change-lines.js';
import { type FederationFile, verifyOwnRow } from './federation-file.js';
import { ownFacts } from './join-site.js';
import { keyFileOf } from './person.js';
import { writePrivate } from './public-files.js';
import {
  digestOfRoster,
  isRosterSigned,
  type RosterChange,
  signedRosterOf,
  signRosterChange,
  verifySignedChange,
} from './roster-change.js';
import type { SiteFolder, SiteRecord } from './site-folder.js';

/** What is due at a site: what its person reads, and what then signs. */
export interface DueSignature {
  readonly what: 'roster' | 'first entry of the log';
  readonly lines: readonly string[];
  /** digest of what is signed, as the lines show it */
  readonly digest: string;
  /** the change with the signature; asked for after the person has read and agreed */
  readonly sign: () => RosterChange;
}

/**
 * What a site is asked to sign of a change that came by mail.
 *
 * @param change attacker-controlled
 * @param keyFile of the administrator; default: the one that `site join` made
 * @param now ms since the epoch
 * @throws E_ROSTER when it is not about this site as it is, older than what is installed, or not in force
 */
export function dueSignature(
  folder: SiteFolder,
  change: RosterChange,
  keyFile: string | undefined,
  now: number,
): DueSignature {
  const record = folder.record();
  const own = ownFacts(record);
  verifyOwnRow(ownRosterOf(change, own.site), own);
  verifyInForce(change.roster, now);
  verifyNewer(change, record);
  verifyFollows(change, record);
  const digest = digestOfRoster(change.roster);
  const lines = changeLines(change, own.site);
  if (change.genesis !== null) return dueGenesis(folder, change, now);
  const path = keyFile ?? keyFileOf(folder.people, 'administrator', own.site);
  const sign = (): RosterChange => {
    const signed = signRosterChange(change, readSeedFile(path));
    keepFounding(folder, change);
    return signed;
  };
  return { what: 'roster', lines, digest, sign };
}

/** The roster that lists this site: of a change that removes it, the one in force. */
function ownRosterOf({ roster, previous }: RosterChange, site: string): RosterChange['roster'] {
  const leaves = previous !== null && !roster.members.some(({ name }) => name === site);
  return leaves ? previous.roster : roster;
}

function dueGenesis(folder: SiteFolder, change: RosterChange, now: number): DueSignature {
  if (!isRosterSigned(change)) {
    throw new RegulonError('E_ROSTER', 'the first entry of the log is here before its roster is signed', {
      hint: 'let the administrators sign the roster first',
    });
  }
  verifySignedChange(change);
  const payload = Uint8Array.from(Buffer.from(change.genesis?.payload ?? '', 'base64'));
  const signed = signedRosterOf(change);
  const { keys } = verifyGenesisOfRoster(payload, signed);
  const digest = digestText(sha256(payload));
  const sign = (): RosterChange => {
    const signature = signGenesisPayload(folder.state, payload, signed, now);
    keepFounding(folder, change);
    return withGenesisSignature(change, signature);
  };
  return {
    what: 'first entry of the log',
    lines: genesisLines(keys.genesis, change.roster, digest),
    digest,
    sign,
  };
}

function genesisLines(genesis: BodyOf<'federation.genesis'>, roster: Roster, digest: string): string[] {
  const people = genesis.people.map(({ id, role, key }) => `  ${role} ${id}  ${shown(key)}`);
  return [
    `first entry of the log ${shown(genesis.origin)}`,
    `log key  ${shown(genesis.logKey)}`,
    `gate ${genesis.gateMode}: ${genesis.quorum} sites cosign, ${genesis.colluders} may collude with the coordinator`,
    people.length === 0 ? 'nobody may propose a plan yet' : 'people who act under an own key:',
    ...people,
    `roster  ${digestOfRoster(roster)}`,
    '',
    `digest  ${digest}`,
  ];
}

function withGenesisSignature(change: RosterChange, added: EntrySignature): RosterChange {
  if (change.genesis === null) return change;
  const others = change.genesis.signatures.filter(({ key }) => key !== added.key);
  return { ...change, genesis: { ...change.genesis, signatures: [...others, added] } };
}

/** What is marked as changed is judged against the roster that this site has, not against one that the file brings. */
function verifyFollows({ previous, roster }: RosterChange, { pinned }: SiteRecord): void {
  const before = previous === null ? null : hex(rosterHashOf(previous.roster));
  if (before === (pinned?.hash ?? null)) return;
  throw new RegulonError(
    'E_ROSTER',
    `roster of ${roster.federationId} version ${roster.version}: it is said to follow another roster than the one that this site has`,
    { hint: 'sign nothing; ask the founder for the change that is open now' },
  );
}

/**
 * The rosters of a file go on from the one that this site installed.
 *
 * @throws E_ROSTER for an older roster than that, and for others of its version
 */
export function verifyContinues(
  { roster, changes }: Pick<FederationFile, 'roster' | 'changes'>,
  record: SiteRecord,
): void {
  const chain = [roster, ...changes];
  const last = chain.at(-1) ?? roster;
  verifyNewer(last, record);
  const { pinned, founding } = record;
  const same = chain.find((signed) => signed.roster.version === pinned?.version);
  if (same !== undefined) verifyNewer(same, record);
  const refuse = refusalOf(last.roster);
  if (pinned !== null && same === undefined)
    refuse(`the file does not show version ${pinned.version}, which this site has`);
  if (founding !== null && hex(rosterHashOf(roster.roster)) !== founding)
    refuse('the federation was founded with another roster than this site signed');
}

/** Keep what the site signed, if it founds the federation: what is installed must begin with it. */
function keepFounding(folder: SiteFolder, { previous, roster }: RosterChange): void {
  if (previous !== null) return;
  writePrivate(folder.recordFile, { ...folder.record(), founding: hex(rosterHashOf(roster)) });
}

/** @throws E_ROSTER for an older roster than the one that this site installed, or another one of the same version */
function verifyNewer({ roster }: Pick<RosterChange, 'roster'>, { pinned }: SiteRecord): void {
  if (pinned === null || roster.version > pinned.version) return;
  if (roster.version === pinned.version && hex(rosterHashOf(roster)) === pinned.hash) return;
  const which = roster.version < pinned.version ? 'is older than' : 'is another roster than';
  const words = `roster of ${roster.federationId}: version ${roster.version} ${which} version ${pinned.version} (${fingerprint(pinned.hash)}), which this site has`;
  throw new RegulonError('E_ROSTER', words, {
    hint: 'ask the founder for the change that is open now, and keep this file as evidence',
  });
}
