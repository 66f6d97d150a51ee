import { hex, publicKeyOf, signEd25519 } from '../crypto/index.js';
import { handoverBytes, type Roster, rosterHashOf, signMember } from '../plan/index.js';
import { sampleAdministrator, SampleFederation, sampleMember } from './sample-federation.js';

type Reason = NonNullable<Roster['follows']>['reason'];

/** A roster after another one, with changes. */
function after(roster: Roster, reason: Reason, changes: Partial<Roster>): Roster {
  const rosterHash = hex(rosterHashOf(roster));
  return {
    ...roster,
    version: roster.version + 1,
    ...changes,
    follows: { rosterHash, reason, ...changes.follows },
  };
}

/** The roster in which `site-<id>` joins, with its administrator. */
export const joined = (roster: Roster, id: number): Roster =>
  after(roster, 'joined', {
    members: [...roster.members, sampleMember(id)],
    admins: [...roster.admins, sampleAdministrator(id)],
  });

/** The roster that `site-<id>` and its administrator have left. */
export const left = (roster: Roster, id: number, reason: Reason = 'left'): Roster =>
  after(roster, reason, {
    members: roster.members.filter((member) => member.id !== id),
    admins: roster.admins.filter(({ member }) => member !== id),
  });

/**
 * The roster in which `site-<id>` has another key, of this seed.
 *
 * @param old seed that hands over; by default that of the key in service
 */
export function rotated(
  roster: Roster,
  role: 'site' | 'cosigner' | 'steward',
  id: number,
  seed: Uint8Array,
  old: Uint8Array = SampleFederation.seed(role, `site-${id}`),
): Roster {
  const key = hex(publicKeyOf(seed));
  const field = { site: 'key', cosigner: 'cosignerKey', steward: 'stewardKey' }[role] as 'key';
  let before = '';
  const members = roster.members.map((member) => {
    if (member.id !== id) return member;
    before = member[field];
    const changed = { ...member, [field]: key };
    const { name, org, cosignerKey } = changed;
    const own = role === 'site' ? seed : SampleFederation.seed('site', name);
    return { ...changed, selfSignature: signMember(own, { name, org, key: changed.key, cosignerKey }) };
  });
  const bytes = handoverBytes(roster.federationId, { role, id: `site-${id}`, old: before, key });
  const follows = after(roster, 'routine', {}).follows;
  const handover = hex(signEd25519(old, bytes));
  return after(roster, 'routine', { members, ...(follows && { follows: { ...follows, handover } }) });
}
