import { canonicalJsonBytes, fromHex, utf8 } from '../../crypto/index.js';
import { type Roster, rosterHashOf, type SignedRoster } from '../../plan/index.js';
import { quorumOf, quorumPolicyText } from '../notes/quorum-policy.js';
import {
  formatVkey,
  keyReference,
  KeyType,
  originOf,
  parseVkey,
  statementKeyName,
  type VerifierKey,
  verifierKey,
} from '../notes/vkey.js';
import { attachmentOf, listField, MediaType } from './attachments.js';
import type { GenesisMember } from './federation-keys.js';
import { digestText } from './fields.js';
import type { BodyOf } from './kinds.js';
import { entryPayload, nextPosition } from './seal.js';

/** tMin: a released sum covers at least three sites */
const MIN_COHORT = 3;

/** What a federation decides before its log begins. */
export interface GenesisInput {
  readonly signedRoster: SignedRoster;
  /** host name of the coordinator, part of the log's origin */
  readonly coordinatorHost: string;
  /** Ed25519 public key of the log, 32 bytes */
  readonly logPublicKey: Uint8Array;
  readonly people: readonly {
    readonly id: string;
    readonly role: 'researcher' | 'auditor' | 'operator';
    readonly publicKey: Uint8Array;
  }[];
  /** digest text of the coordinator's software */
  readonly software: string;
  readonly at: Date;
}

/** Entry 0 before its signatures. */
export interface GenesisDraft {
  readonly origin: string;
  /** what the coordinator and every site sign with `signPayload`; then `assembleEntry` */
  readonly payload: Uint8Array;
  /** bytes that entry 0 refers to: signed roster, quorum policy, members when they are many */
  readonly attachments: readonly Uint8Array[];
  /** text of the quorum policy, to be kept by every site and auditor */
  readonly quorumPolicy: string;
}

/** Verifier keys of a federation under its origin, from the hexadecimal keys of the roster. */
class Names {
  constructor(readonly origin: string) {}

  statement(type: string, id: string, publicKey: Uint8Array): VerifierKey {
    return verifierKey(statementKeyName(this.origin, type, id), KeyType.statement, publicKey);
  }

  cosigner(name: string, publicKey: Uint8Array): VerifierKey {
    return verifierKey(`${this.origin}/site/${name}`, KeyType.cosigner, publicKey);
  }
}

/**
 * Entry 0 of a federation, as its roster fixes it.
 *
 * f is c = ⌊γ·M⌋ and q the strict quorum over it; the mode of the gate stands in the roster's policy.
 */
export function genesisOf(input: GenesisInput): GenesisDraft {
  const { roster } = input.signedRoster;
  const { origin, body, attachments, quorumPolicy } = termsOf(input);
  const actor = { type: 'coordinator', id: 'coordinator' } as const;
  const draft = { kind: 'federation.genesis', fed: roster.federationId, actor, body } as const;
  const coordinator = keyReference(parseVkey(body.coordinatorKey));
  const payload = entryPayload({ ...draft, ...nextPosition(undefined, input.at) }, coordinator);
  return { origin, payload, attachments, quorumPolicy };
}

/** What a federation is under one roster, in the form of a genesis. */
export interface Terms extends Pick<GenesisDraft, 'origin' | 'attachments' | 'quorumPolicy'> {
  readonly body: BodyOf<'federation.genesis'>;
}

/** The terms that a roster fixes, with what the federation decided beside it at its founding. */
export function termsOf(input: Omit<GenesisInput, 'at'>): Terms {
  const { roster } = input.signedRoster;
  const names = new Names(originOf(input.coordinatorHost, roster.federationId));
  const quorumPolicy = policyOf(input, names);
  const members = listField(membersOf(roster, names));
  const [rosterBytes, policyBytes] = [canonicalJsonBytes(input.signedRoster), utf8(quorumPolicy)];
  const { gamma, gateMode, gateLag, quorumRule } = roster.policy;
  const body: BodyOf<'federation.genesis'> = {
    origin: names.origin,
    logKey: formatVkey(verifierKey(names.origin, KeyType.log, input.logPublicKey)),
    coordinatorKey: formatVkey(names.statement('coordinator', '', fromHex(roster.coordinatorKey))),
    rosterHash: digestText(rosterHashOf(roster)),
    roster: attachmentOf(rosterBytes, MediaType.json),
    members: members.field,
    administratorThreshold: roster.k,
    people: input.people.map(({ id, role, publicKey }) => ({
      id,
      role,
      key: formatVkey(names.statement(role, id, publicKey)),
    })),
    quorumPolicy: attachmentOf(policyBytes, MediaType.text),
    ...{ gateMode, ...quorumNumbers(roster), gateLag, minCohort: MIN_COHORT, gamma, quorumRule },
    ...{ skewSeconds: 300, gateMaxAgeSeconds: 86_400, mergeDelaySeconds: 600 },
    ...{ retention: roster.policy.retention ?? [], evidenceLevel: 1, software: input.software },
  };
  const attachments = [rosterBytes, policyBytes, ...(members.bytes === undefined ? [] : [members.bytes])];
  return { origin: names.origin, body, attachments, quorumPolicy };
}

function policyOf(
  { signedRoster: { roster }, logPublicKey }: Omit<GenesisInput, 'at'>,
  names: Names,
): string {
  return quorumPolicyText({
    log: verifierKey(names.origin, KeyType.log, logPublicKey),
    witnesses: roster.members.map((m) => ({
      name: m.name,
      key: names.cosigner(m.name, fromHex(m.cosignerKey)),
    })),
    threshold: roster.policy.gateMode === 'signed' ? 0 : quorumNumbers(roster).quorum,
  });
}

function quorumNumbers({ members, policy }: Roster): { colluders: number; quorum: number } {
  const colluders = Math.floor((policy.gamma.num * members.length) / policy.gamma.den);
  return { colluders, quorum: quorumOf(members.length, colluders) };
}

function membersOf(roster: Roster, names: Names): GenesisMember[] {
  return roster.members.map((m) => ({
    id: m.id,
    name: m.name,
    statement: formatVkey(names.statement('site', m.name, fromHex(m.key))),
    cosigner: formatVkey(names.cosigner(m.name, fromHex(m.cosignerKey))),
    steward: formatVkey(names.statement('steward', m.name, fromHex(m.stewardKey))),
    administrators: roster.admins
      .filter((a) => a.member === m.id)
      .map((a) => formatVkey(names.statement('administrator', `${m.name}-${a.id}`, fromHex(a.key)))),
  }));
}
