import { fromHex } from '../crypto/index.js';
import { type Roster, rosterHashOf } from '../plan/index.js';
import type { RosterView } from '../secagg/index.js';

/** The quorum rule of a roster as manifests carry it. */
export function quorumRuleOf({ policy }: Pick<Roster, 'policy'>): RosterView['quorumRule'] {
  return policy.quorumRule === 'strict' ? 0 : 1;
}

/** The part of a roster that secure aggregation needs. */
export function rosterViewOf(roster: Roster): RosterView {
  return {
    federationId: roster.federationId,
    rosterHash: rosterHashOf(roster),
    coordinatorKey: fromHex(roster.coordinatorKey, 32),
    members: roster.members.map((m) => ({ id: m.id, key: fromHex(m.key, 32) })),
    M: roster.members.length,
    quorumRule: quorumRuleOf(roster),
  };
}
