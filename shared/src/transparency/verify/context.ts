import { z } from 'zod';
import { canonicalJson, hex, type SignatureCheck } from '../../crypto/index.js';
import { type Roster, rosterHashOf } from '../../plan/index.js';
import type { RosterView } from '../../secagg/index.js';
import { attachedJson, isAttachment } from '../entries/attachments.js';
import type { FederationKeys, GenesisMember, ResolveAttachment } from '../entries/federation-keys.js';
import { type Attachment, count, digestBytes, digestText } from '../entries/fields.js';
import { type KeyHistory, verifiedRoster } from '../entries/key-history.js';
import { parseVkey } from '../notes/vkey.js';
import type { Findings } from './findings.js';
import type { OpenedLog } from './log-entries.js';

/** What the rows of a run are judged against. */
export interface VerifyContext {
  readonly log: OpenedLog;
  /** as entry 0 fixes them: terms that no later roster changes */
  readonly keys: FederationKeys;
  readonly history: KeyHistory;
  readonly findings: Findings;
  /** verifies the many signatures, on which no key depends */
  readonly holds: SignatureCheck;
}

/**
 * Elements of a list field, from the entry or from its attachment; empty when the attachment is not there or holds
 * something else.
 */
export function elementsOf<T>(
  field: readonly T[] | Attachment,
  element: z.ZodType<T>,
  resolve: ResolveAttachment,
): readonly T[] {
  if (!isAttachment(field)) return field;
  return z.array(element).safeParse(attachedJson(resolve(field.digest))).data ?? [];
}

/** Elements of a list of roster ids or of indexes. */
export function integersOf(
  field: readonly number[] | Attachment,
  resolve: ResolveAttachment,
): readonly number[] {
  return elementsOf(field, count, resolve);
}

/** What secure aggregation needs of the roster in force for an entry of this index. */
export function rosterViewAt(history: KeyHistory, index: number): RosterView {
  const { fed, genesis, members } = history.at(index);
  return {
    federationId: fed,
    rosterHash: digestBytes(genesis.rosterHash),
    coordinatorKey: parseVkey(genesis.coordinatorKey).publicKey,
    members: members.map(({ id, statement }) => ({ id, key: parseVkey(statement).publicKey })),
    M: members.length,
    quorumRule: ({ strict: 0, majority: 1 } as const)[genesis.quorumRule],
  };
}

/** Check the signed roster that entry 0 refers to against its members and its hash (row L3). */
export function checkFounding({ history, log, findings }: VerifyContext): void {
  const founding = history.at(0);
  const { genesis } = founding;
  const roster = verifiedRoster(log.resolve(genesis.roster.digest));
  if (roster === undefined) findings.fail('L3', 'the signed roster of entry 0 cannot be verified', 0);
  else if (digestText(rosterHashOf(roster)) !== genesis.rosterHash || !sameMembers(roster, founding)) {
    findings.fail('L3', 'entry 0 names other members or keys than the signed roster', 0);
  } else if (canonicalJson(roster.policy.retention ?? []) !== canonicalJson(genesis.retention)) {
    findings.fail('L3', 'entry 0 names other retention classes than the signed roster', 0);
  } else if (roster.policy.quorumRule !== genesis.quorumRule) {
    findings.fail('L3', 'entry 0 names another quorum rule than the signed roster', 0);
  }
}

function sameMembers(roster: Roster, keys: FederationKeys): boolean {
  const { genesis, members } = keys;
  const holds = (vkey: string, key: string): boolean => hex(parseVkey(vkey).publicKey) === key;
  const same = (member: GenesisMember): boolean => {
    const listed = roster.members.find(({ id }) => id === member.id);
    if (listed === undefined || listed.name !== member.name) return false;
    const { statement, cosigner, steward } = member;
    return (
      holds(statement, listed.key) && holds(cosigner, listed.cosignerKey) && holds(steward, listed.stewardKey)
    );
  };
  const whole = roster.federationId === keys.fed && members.length === roster.members.length;
  return whole && members.every(same) && holds(genesis.coordinatorKey, roster.coordinatorKey);
}
