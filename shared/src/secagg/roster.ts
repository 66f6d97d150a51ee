import { RegulonError } from '../errors/index.js';
import type { SiteId } from './manifest.js';

/** What secure aggregation needs of the pinned roster. */
export interface RosterView {
  readonly federationId: string;
  readonly rosterHash: Uint8Array;
  /** Ed25519 statement key CK of the coordinator, 32 bytes */
  readonly coordinatorKey: Uint8Array;
  readonly members: readonly { readonly id: SiteId; readonly key: Uint8Array }[];
  /** number of members, M */
  readonly M: number;
  /** by policy of the roster: 0 strict, 1 simple majority */
  readonly quorumRule: 0 | 1;
}

/** Identity key of a member. @throws E_ROSTER if the id is not in the roster */
export function memberKey(roster: RosterView, id: SiteId): Uint8Array {
  const member = roster.members.find((candidate) => candidate.id === id);
  if (member === undefined) throw new RegulonError('E_ROSTER', `site ${id} is not in the roster`);
  return member.key;
}
