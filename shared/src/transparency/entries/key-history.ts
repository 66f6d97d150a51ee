import { canonicalJson, fromHex, hex, sha256 } from '../../crypto/index.js';
import { isRegulonError, present, refusalOf, RegulonError } from '../../errors/index.js';
import {
  parseStrict,
  type Roster,
  type RosterDifference,
  rosterHashOf,
  type SignedRoster,
  signedRosterSchema,
  verifyRoster,
  verifySuccessor,
} from '../../plan/index.js';
import { parseVkey } from '../notes/vkey.js';
import { attachedJson } from './attachments.js';
import { FederationKeys, type GenesisMember, type ResolveAttachment } from './federation-keys.js';
import { digestText } from './fields.js';
import { termsOf } from './genesis.js';
import type { BodyOf, Kind } from './kinds.js';
import { entryRefused } from './rule-error.js';
import type { LogEntry } from './schema.js';

/** Kinds of entries that change the keys of a federation. */
export type ChangeKind = 'member.join' | 'member.revoke' | 'key.rotate';
const CHANGES: readonly Kind[] = ['member.join', 'member.revoke', 'key.rotate'] satisfies ChangeKind[];

/** True for an entry that changes the keys of a federation. */
export function isChange(entry: LogEntry): entry is LogEntry<ChangeKind> {
  return CHANGES.includes(entry.kind);
}

/** What a signed roster does to a federation. */
export interface Succession<K extends ChangeKind = ChangeKind> {
  readonly kind: K;
  /** what the entry in the log says */
  readonly body: BodyOf<K>;
  /** bytes that it refers to */
  readonly attachments: readonly Uint8Array[];
  /** keys and terms after it */
  readonly keys: FederationKeys;
  readonly quorumPolicy: string;
}

/** The rosters of a federation in their order, with the keys and terms of each. */
export class KeyHistory {
  private readonly rosters: Roster[];
  /** what followed the founding, oldest first: where its entry stands, and the keys and terms after it */
  private readonly changes: { readonly index: number; readonly keys: FederationKeys }[] = [];

  /**
   * @param keys as entry 0 fixes them
   * @param founding the roster of entry 0, verified; without it nothing can follow
   */
  constructor(
    private readonly first: FederationKeys,
    founding: Roster | undefined,
  ) {
    this.rosters = founding ? [founding] : [];
  }

  /** The keys in force now. */
  get last(): FederationKeys {
    return this.changes.reduce((_, { keys }) => keys, this.first);
  }

  /** Keys and terms of each roster that was in force up to an entry of this index, oldest first. */
  until(index: number): readonly FederationKeys[] {
    return [this.first, ...this.before(index).map(({ keys }) => keys)];
  }

  /** Keys and terms of each roster, oldest first. */
  get versions(): readonly FederationKeys[] {
    // a daemon that follows no log yet does not know where they stand: any index, also the largest
    return [this.first, ...this.changes.map(({ keys }) => keys)];
  }

  /** Indexes of the entries that changed the keys, ascending. */
  get changedAt(): readonly number[] {
    return this.changes.map(({ index }) => index);
  }

  /** The keys under which an entry of this index is signed, and a checkpoint of this size cosigned. */
  at(index: number): FederationKeys {
    return this.before(index).reduce((_, { keys }) => keys, this.first);
  }

  /** The roster in force for an entry of this index; undefined when that of entry 0 is not known. */
  rosterAt(index: number): Roster | undefined {
    return this.rosters[this.before(index).length];
  }

  private before(index: number): readonly { readonly keys: FederationKeys }[] {
    return this.changes.filter((change) => change.index < index);
  }

  /** The name of the member that has or had this roster id. */
  nameOf(id: number): string | undefined {
    return this.everybody().find((member) => member.id === id)?.name;
  }

  /** The roster id of the member that has or had this name. */
  idOf(name: string): number | undefined {
    return this.everybody().find((member) => member.name === name)?.id;
  }

  /** Members in force and former ones. */
  everybody(): GenesisMember[] {
    return this.versions.flatMap(({ members }) => members);
  }

  /**
   * What a roster would change; nothing changes yet.
   *
   * @throws E_ROSTER when it does not follow the one in force
   */
  successionOf(signed: SignedRoster): Succession {
    const [founding, ...later] = this.rosters;
    const { follows } = signed.roster;
    if (!founding || !follows)
      throw new RegulonError('E_ROSTER', 'the roster names none before it, or that of entry 0 is not known');
    const difference = verifySuccessor([founding, ...later], signed);
    const { genesis, fed } = this.last;
    const { origin, people, software, ...old } = genesis;
    const terms = termsOf({
      signedRoster: signed,
      coordinatorHost: origin.slice(0, -`/fed/${fed}`.length),
      logPublicKey: parseVkey(old.logKey).publicKey,
      people: people.map(({ id, role, key }) => ({ id, role, publicKey: parseVkey(key).publicKey })),
      software,
    });
    const attached = new Map(terms.attachments.map((bytes) => [digestText(sha256(bytes)), bytes]));
    const keys = new FederationKeys(fed, terms.body, (digest) => attached.get(digest), this.last.roles);
    const [attachments, quorumPolicy] = [terms.attachments.slice(0, 2), terms.quorumPolicy];
    return { ...entryOf(difference, this.last, keys, follows), attachments, keys, quorumPolicy };
  }

  /**
   * Take a roster as the one in force.
   *
   * @param index of its entry
   * @throws E_ROSTER when it does not follow the one in force
   */
  append(signed: SignedRoster, index: number): Succession {
    const next = this.successionOf(signed);
    this.rosters.push(signed.roster);
    this.changes.push({ index, keys: next.keys });
    return next;
  }

  /**
   * Take the roster that an entry brings.
   *
   * @param entry from the log, its signatures verified
   * @param resolve finds the signed roster
   * @throws E_LOG_ENTRY (L3) when the roster does not follow the one in force, or the entry says something else of it
   */
  appendEntry(entry: LogEntry<ChangeKind>, index: number, resolve: ResolveAttachment): Succession {
    const signed = readRoster(resolve(entry.body.roster.digest));
    if (signed === undefined)
      throw entryRefused('L3', 'the signed roster of the entry is not there or cannot be read');
    try {
      const { kind, body } = this.successionOf(signed);
      if (kind !== entry.kind || canonicalJson(body) !== canonicalJson(entry.body))
        throw entryRefused('L3', `${entry.kind} says something else than its signed roster`);
      return this.append(signed, index);
    } catch (error) {
      if (isRegulonError(error, 'E_ROSTER')) throw entryRefused('L3', error.message);
      throw error;
    }
  }
}

/**
 * How many of those who cosigned a checkpoint were members before a change; a member that exchanged its key is one.
 *
 * @param old members before the change
 * @param signers names of those who cosigned under the keys in force for the checkpoint
 */
export function oldSigners(old: FederationKeys, signers: { readonly keys: () => Iterable<string> }): number {
  return [...signers.keys()].filter((name) => old.member(name) !== undefined).length;
}

/** A signed roster in the bytes of an attachment, not yet verified. */
function readRoster(bytes: Uint8Array | undefined): SignedRoster | undefined {
  const value = attachedJson(bytes);
  try {
    return parseStrict(signedRosterSchema, value, 'the roster', 'E_ROSTER');
  } catch (error) {
    refusalOf(error, 'E_ROSTER');
    return undefined;
  }
}

/** The entry that a difference between two rosters implies. */
function entryOf(
  difference: RosterDifference,
  old: FederationKeys,
  next: FederationKeys,
  { reason, handover = '' }: NonNullable<Roster['follows']>,
): Pick<Succession, 'kind' | 'body'> {
  const { rosterHash, roster, quorumPolicy, administratorThreshold, colluders, quorum } = next.genesis;
  const terms = {
    ...{ previous: old.genesis.rosterHash, rosterHash, roster, reason },
    ...{ quorumPolicy, administratorThreshold, colluders, quorum },
  };
  if (difference.kind === 'rotate') {
    const { role, id } = difference;
    const [before, key] = [vkeyOf(old, difference.old), vkeyOf(next, difference.key)];
    const signature = Buffer.from(fromHex(handover)).toString('base64');
    return { kind: 'key.rotate', body: { role, id, old: before, key, handover: signature, ...terms } };
  }
  const { name } = difference.member;
  const member = present((difference.kind === 'join' ? next : old).member(name), name);
  if (difference.kind === 'join') return { kind: 'member.join', body: { member, ...terms } };
  const { statement, cosigner, steward, administrators } = member;
  const keys = [statement, cosigner, steward, ...administrators];
  return { kind: 'member.revoke', body: { member: name, keys, ...terms } };
}

/** The verifier key with this public key. */
function vkeyOf({ genesis, members }: FederationKeys, key: string): string {
  const all = members.flatMap((m) => [m.statement, m.cosigner, m.steward, ...m.administrators]);
  const found = [genesis.coordinatorKey, ...all].find((vkey) => hex(parseVkey(vkey).publicKey) === key);
  return present(found, 'the key of a roster');
}

/** The roster whose hash entry 0 names; undefined when it is not there or cannot be verified. */
export function foundingRoster({ genesis }: FederationKeys, resolve: ResolveAttachment): Roster | undefined {
  const roster = verifiedRoster(resolve(genesis.roster.digest));
  return roster && digestText(rosterHashOf(roster)) === genesis.rosterHash ? roster : undefined;
}

/** A founding roster in the bytes of an attachment; undefined when it does not verify. */
export function verifiedRoster(bytes: Uint8Array | undefined): Roster | undefined {
  const signed = readRoster(bytes);
  try {
    return signed && verifyRoster(signed);
  } catch {
    return undefined;
  }
}
