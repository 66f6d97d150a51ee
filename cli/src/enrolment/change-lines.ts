import { canonicalJson } from '@regulon/shared/crypto';
import { type Roster, type RosterMember, rosterSchema } from '@regulon/shared/plan';
import { digestOfRoster, type RosterChange } from './roster-change.js';

/** First digits of a key, in groups that can be read out on the telephone. */
export const fingerprint = (key: string): string => (key.slice(0, 24).match(/.{4}/g) ?? []).join(' ');

/** Text of others without characters that steer a terminal or turn the direction of writing. */
export const shown = (text: string): string => text.replace(/\p{C}/gu, '\u{fffd}');

/**
 * What an administrator reads before signing: made from the very bytes that are signed, and nothing else.
 *
 * @param own name of the reader's site
 */
export function changeLines({ previous, roster, signatures }: RosterChange, own: string): string[] {
  const signed = rosterSchema.parse(JSON.parse(canonicalJson(roster)));
  const before = previous?.roster;
  const { gamma, nMin, quorumRule, gateMode, gateLag, retention = [] } = signed.policy;
  const classes = retention.map((kept) => `${kept.class} ${kept.days} days`).join(', ');
  return [
    `${signed.federationId}, roster version ${signed.version}${before ? `, after version ${before.version}` : signed.version === 1 ? ': the federation is founded' : ''}`,
    '',
    'members:',
    ...membersLines(signed, before, own),
    '',
    `administrators: ${signed.k} of ${signed.admins.length} must sign a roster${changedK(signed, before)}`,
    ...adminLines(signed, before),
    '',
    `coordinator  ${fingerprint(signed.coordinatorKey)}`,
    `rules: at least ${nMin} sites in a sum, gamma ${gamma.num}/${gamma.den}, quorum ${quorumRule}, gate ${gateMode}, lag ${gateLag}${changedPolicy(signed, before)}`,
    `entries of the log: ${classes === '' ? 'kept for ever' : `may be removed after the longest of ${classes}`}`,
    ...(signed.follows ? [`reason: ${signed.follows.reason}`] : []),
    `signed so far by ${signatures.length} of ${before?.k ?? signed.k}`,
    '',
    `digest  ${digestOfRoster(signed)}`,
  ];
}

function membersLines(now: Roster, before: Roster | undefined, own: string): string[] {
  const lines = now.members.flatMap((member) => memberLines(member, before, own));
  const gone = (before?.members ?? []).filter(({ id }) => !now.members.some((member) => member.id === id));
  return [...lines, ...gone.map(({ id, name, org }) => `- ${id} ${name} (${shown(org)}) leaves`)];
}

function memberLines(member: RosterMember, before: Roster | undefined, own: string): string[] {
  const old = before?.members.find(({ id }) => id === member.id);
  const { id, name, org, validFrom, validTo } = member;
  const mark = old === undefined ? '+' : canonicalJson(old) === canonicalJson(member) ? ' ' : '~';
  const line = (what: string, key: string, known: string | undefined): string =>
    `      ${what.padEnd(9)} ${fingerprint(key)}${known !== undefined && known !== key ? '  CHANGED' : ''}`;
  return [
    `${mark} ${id} ${name} (${shown(org)})${name === own ? ', this site' : ''}, ${validFrom.slice(0, 10)} to ${validTo.slice(0, 10)}`,
    line('identity', member.key, old?.key),
    line('cosigner', member.cosignerKey, old?.cosignerKey),
    line('steward', member.stewardKey, old?.stewardKey),
  ];
}

function adminLines(now: Roster, before: Roster | undefined): string[] {
  const nameOf = (id: number): string => now.members.find((member) => member.id === id)?.name ?? String(id);
  const lines = now.admins.map((admin) => {
    const old = before?.admins.find(({ id }) => id === admin.id);
    const isSame = old !== undefined && canonicalJson(old) === canonicalJson(admin);
    const mark = before === undefined || old === undefined ? '+' : isSame ? ' ' : '~';
    return `${mark} ${admin.id} of ${nameOf(admin.member)}  ${fingerprint(admin.key)}`;
  });
  const gone = (before?.admins ?? []).filter(({ id }) => !now.admins.some((admin) => admin.id === id));
  return [...lines, ...gone.map(({ id, key }) => `- ${id}  ${fingerprint(key)} leaves`)];
}

const changedK = (now: Roster, before: Roster | undefined): string =>
  before && before.k !== now.k ? ` (CHANGED, was ${before.k})` : '';

const changedPolicy = (now: Roster, before: Roster | undefined): string =>
  before && canonicalJson(before.policy) !== canonicalJson(now.policy) ? '  CHANGED' : '';
