import { canonicalJson, equalBytes, fromHex, hashJson, hex, utf8, verifyEd25519 } from '../crypto/index.js';
import {
  keysOfRoster,
  refusalOf,
  type Roster,
  rosterHashOf,
  type RosterMember,
  type SignedRoster,
  verifyQuorum,
  verifyRoster,
  verifyRosterForm,
} from './roster.js';

/** Whose key a roster can exchange. */
export type KeyRole = 'coordinator' | 'site' | 'cosigner' | 'steward' | 'administrator';

/** The one thing in which a roster differs from the one that it follows. */
export type RosterDifference =
  | { readonly kind: 'join' | 'revoke'; readonly member: RosterMember }
  | {
      readonly kind: 'rotate';
      readonly role: KeyRole;
      /** name of the site, with `-<id>` for an administrator; `coordinator` */
      readonly id: string;
      /** hexadecimal */
      readonly old: string;
      readonly key: string;
    };

type Rotation = Extract<RosterDifference, { kind: 'rotate' }>;

/** The bytes that an old key signs to hand over to a new one: H_x("handover"), 32 bytes. */
export function handoverBytes(
  federationId: string,
  { role, id, old, key }: Omit<Rotation, 'kind'>,
): Uint8Array {
  return hashJson('handover', utf8(canonicalJson({ federationId, role, id, old, key })));
}

/**
 * What a roster changes: one member joins with its administrators, one leaves with them, or one key is exchanged.
 *
 * @returns undefined when it changes nothing, more than that, or something else, as the rules of the federation
 */
export function changeOf(old: Roster, next: Roster): RosterDifference | undefined {
  const joined = next.members.filter(({ id }) => !old.members.some((m) => m.id === id));
  const gone = old.members.filter(({ id }) => !next.members.some((m) => m.id === id));
  const [came] = joined;
  const [left] = gone;
  const count = joined.length + gone.length;
  if (count > 1) return undefined;
  if (came) return isSameBut(old, without(next, came.id)) ? { kind: 'join', member: came } : undefined;
  if (left) return isSameBut(without(old, left.id), next) ? { kind: 'revoke', member: left } : undefined;
  const rotated = rotations(old, next);
  return rotated.length === 1 ? rotated[0] : undefined;
}

/** A roster without a member and its administrators. */
function without(roster: Roster, id: number): Roster {
  return {
    ...roster,
    members: roster.members.filter((member) => member.id !== id),
    admins: roster.admins.filter(({ member }) => member !== id),
  };
}

/** True when nothing differs but version, what they follow, and how many administrators sign. */
function isSameBut(one: Roster, other: Roster): boolean {
  const rest = ({ version: _v, follows: _f, k: _k, ...same }: Roster): string => canonicalJson(same);
  return rest(one) === rest(other);
}

/** The exchanged keys, when nothing else differs; else none. */
function rotations(old: Roster, next: Roster): Rotation[] {
  const found: Rotation[] = [];
  const see = (role: KeyRole, id: string, before: string, key: string): void => {
    if (before !== key) found.push({ kind: 'rotate', role, id, old: before, key });
  };
  see('coordinator', 'coordinator', old.coordinatorKey, next.coordinatorKey);
  const members = old.members.map((member) => {
    const { key, cosignerKey, stewardKey, selfSignature } =
      next.members.find(({ id }) => id === member.id) ?? member;
    see('site', member.name, member.key, key);
    see('cosigner', member.name, member.cosignerKey, cosignerKey);
    see('steward', member.name, member.stewardKey, stewardKey);
    return { ...member, key, cosignerKey, stewardKey, selfSignature };
  });
  const admins = old.admins.map((admin) => {
    const name = old.members.find(({ id }) => id === admin.member)?.name ?? '';
    const { key } = next.admins.find(({ id }) => id === admin.id) ?? admin;
    see('administrator', `${name}-${admin.id}`, admin.key, key);
    return { ...admin, key };
  });
  const expected = { ...old, coordinatorKey: next.coordinatorKey, members, admins };
  return old.k === next.k && isSameBut(expected, next) ? found : [];
}

/**
 * Check a roster that follows others: k administrators of the one before signed it, its version is the next, it names
 * the one before by its digest, changes one thing, and brings back no member and no key of earlier ones.
 *
 * @param history the rosters so far, verified, oldest first
 * @throws E_ROSTER naming the rule that fails
 * @see docs/protocol.md, Later membership
 */
export function verifySuccessor(
  history: readonly [Roster, ...Roster[]],
  signed: SignedRoster,
): RosterDifference {
  const { roster, signatures } = signed;
  const old = history.at(-1) ?? history[0];
  const refuse = refusalOf(roster);
  if (roster.federationId !== old.federationId) refuse(`it is not one of ${old.federationId}`);
  if (roster.version !== old.version + 1)
    refuse(`the version in force is ${old.version}, the next one is due`);
  if (roster.follows?.rosterHash !== hex(rosterHashOf(old)))
    refuse(`it follows another roster than version ${old.version} that is in force`);
  verifyRosterForm(roster);
  if (roster.k > roster.admins.length) refuse('more administrators must sign than it lists');
  const change = changeOf(old, roster) ?? refuse('it changes more than one member or one key');
  verifyFresh(history, roster, change, refuse);
  if (change.kind === 'rotate') verifyHandover(roster, change, refuse);
  const isOwnLeave = change.kind === 'revoke' && roster.k === old.k;
  const own = old.admins.filter(({ member }) => isOwnLeave && member === change.member.id);
  const isAlone = own.some(({ id }) => signatures.some(({ admin }) => admin === id));
  if (change.kind === 'rotate') verifyOwnAdministrator(old, change, signatures, refuse);
  // a site may leave by itself; for everything else the quorum signs
  verifyQuorum({ admins: old.admins, k: isAlone ? 1 : old.k }, rosterHashOf(roster), signatures, refuse);
  return change;
}

/** A name, an id or a key that stood in an earlier roster never stands for somebody or something else. */
function verifyFresh(
  history: readonly Roster[],
  roster: Roster,
  change: RosterDifference,
  refuse: (rule: string) => never,
): void {
  const old = history.at(-1);
  const known = new Set(old && keysOfRoster(old));
  const past = new Set(history.flatMap(keysOfRoster));
  if (keysOfRoster(roster).some((key) => !known.has(key) && past.has(key)))
    refuse('it brings back a key of an earlier roster');
  if (change.kind !== 'join') return;
  const { id, name } = change.member;
  if (history.some(({ members }) => members.some((m) => m.id === id || m.name === name)))
    refuse(`member ${id} or the name ${name} was one before: who joins again takes a new name`);
  const admins = new Set(history.flatMap((before) => before.admins.map((admin) => admin.id)));
  if (roster.admins.some((admin) => admin.member === id && admins.has(admin.id)))
    refuse('an administrator who joins has an id of an earlier one');
}

/** Whoever holds a stolen key, and the other hospitals with them, exchange no key without the hospital that it belongs to. */
function verifyOwnAdministrator(
  old: Roster,
  change: Rotation,
  signatures: SignedRoster['signatures'],
  refuse: (rule: string) => never,
): void {
  const owner = old.members.find(({ id, key, cosignerKey, stewardKey }) => {
    const admins = old.admins.filter(({ member }) => member === id).map((admin) => admin.key);
    return [key, cosignerKey, stewardKey, ...admins].includes(change.old);
  });
  const own = old.admins.filter(({ member }) => member === owner?.id);
  if (owner && own.length > 0 && !own.some(({ id }) => signatures.some(({ admin }) => admin === id)))
    refuse(`no administrator of ${owner.name} signed the exchange of its ${change.role} key`);
}

function verifyHandover(roster: Roster, change: Rotation, refuse: (rule: string) => never): void {
  const { handover } = roster.follows ?? {};
  const bytes = handoverBytes(roster.federationId, change);
  if (handover === undefined || !verifyEd25519(fromHex(change.old), bytes, fromHex(handover)))
    refuse(`the old ${change.role} key of ${change.id} did not hand over to the new one`);
}

/**
 * Check the rosters of a federation from its founding on.
 *
 * @param chain the founding roster, then each that followed
 * @param pinnedHash digest of the last one, as a daemon pinned it
 * @returns the rosters, oldest first
 * @throws E_ROSTER naming version and rule
 */
export function verifyRosterChain(
  chain: readonly [SignedRoster, ...SignedRoster[]],
  pinnedHash?: Uint8Array,
): readonly [Roster, ...Roster[]] {
  const [first, ...later] = chain;
  const rosters: [Roster, ...Roster[]] = [verifyRoster(first)];
  for (const signed of later) {
    verifySuccessor(rosters, signed);
    rosters.push(signed.roster);
  }
  const last = rosters.at(-1) ?? rosters[0];
  if (pinnedHash && !equalBytes(rosterHashOf(last), pinnedHash))
    refusalOf(last)('it is not the roster that this site pinned');
  return rosters;
}
