import { canonicalJsonBytes, fromHex, utf8 } from '@regulon/shared/crypto';
import { type Roster, rosterHashOf, type SignedRoster } from '@regulon/shared/plan';
import {
  attachmentOf,
  type BodyOf,
  digestText,
  entryPayload,
  formatVkey,
  keyReference,
  KeyType,
  MediaType,
  type NamedSeed,
  nextPosition,
  quorumOf,
  quorumPolicyText,
  statementKeyName,
  verifierKey,
  verifierKeyOf,
} from '@regulon/shared/transparency';
import type { Person } from './person.js';

const SKEW_SECONDS = 300;
const GATE_MAX_AGE_SECONDS = 86_400;
const MERGE_DELAY_SECONDS = 600;

/** What the genesis of a simulated federation is made from. */
export interface GenesisParts {
  readonly origin: string;
  readonly signed: SignedRoster;
  readonly coordinator: NamedSeed;
  readonly log: NamedSeed;
  readonly administrators: readonly Person[];
  readonly researcher: Person;
  /** digest of the software that runs the coordinator, 32 bytes */
  readonly software: Uint8Array;
}

/** The policy that a verifier gets from the sites, not from the bundle: which log, which witnesses, how many. */
export function quorumPolicyOf(parts: Pick<GenesisParts, 'origin' | 'signed' | 'log'>): string {
  const { roster } = parts.signed;
  return quorumPolicyText({
    log: verifierKeyOf(parts.log, KeyType.log),
    witnesses: roster.members.map((member) => ({
      name: member.name,
      key: verifierKey(
        `${parts.origin}/witness/${member.name}`,
        KeyType.cosigner,
        fromHex(member.cosignerKey),
      ),
    })),
    threshold: quorumOf(roster.members.length, colludersOf(roster)),
  });
}

/** c = ⌊γ·M⌋: members that may collude with the coordinator. */
const colludersOf = (roster: Roster): number =>
  Math.floor((roster.policy.gamma.num * roster.members.length) / roster.policy.gamma.den);

/**
 * Entry 0 before its signatures.
 *
 * @returns the canonical bytes that the coordinator and every founding site sign
 */
export function genesisPayload(parts: GenesisParts, federationId: string, now: Date): Uint8Array {
  const draft = {
    kind: 'federation.genesis' as const,
    fed: federationId,
    actor: { type: 'coordinator' as const, id: 'coordinator' },
    body: genesisBodyOf(parts),
    ...nextPosition(undefined, now),
  };
  return entryPayload(draft, keyReference(verifierKeyOf(parts.coordinator, KeyType.statement)));
}

function genesisBodyOf(parts: GenesisParts): BodyOf<'federation.genesis'> {
  const { origin, signed, administrators } = parts;
  const { roster } = signed;
  const { policy } = roster;
  const statement = (type: string, id: string, key: string): string =>
    formatVkey(verifierKey(statementKeyName(origin, type, id), KeyType.statement, fromHex(key)));
  return {
    origin,
    logKey: formatVkey(verifierKeyOf(parts.log, KeyType.log)),
    coordinatorKey: formatVkey(verifierKeyOf(parts.coordinator, KeyType.statement)),
    rosterHash: digestText(rosterHashOf(roster)),
    roster: attachmentOf(canonicalJsonBytes(signed), MediaType.json),
    members: roster.members.map((member) => ({
      id: member.id,
      name: member.name,
      statement: statement('site', member.name, member.key),
      cosigner: formatVkey(
        verifierKey(`${origin}/witness/${member.name}`, KeyType.cosigner, fromHex(member.cosignerKey)),
      ),
      steward: statement('steward', member.name, member.stewardKey),
      administrators: administrators
        .filter((_, i) => roster.admins[i]?.member === member.id)
        .map((person) => person.vkey(origin)),
    })),
    administratorThreshold: roster.k,
    people: [{ id: parts.researcher.id, role: 'researcher', key: parts.researcher.vkey(origin) }],
    quorumPolicy: attachmentOf(utf8(quorumPolicyOf(parts)), MediaType.text),
    gateMode: policy.gateMode,
    colluders: colludersOf(roster),
    quorum: quorumOf(roster.members.length, colludersOf(roster)),
    gateLag: policy.gateLag,
    minCohort: policy.nMin,
    gamma: policy.gamma,
    quorumRule: policy.quorumRule,
    skewSeconds: SKEW_SECONDS,
    gateMaxAgeSeconds: GATE_MAX_AGE_SECONDS,
    mergeDelaySeconds: MERGE_DELAY_SECONDS,
    retention: [],
    evidenceLevel: 1,
    software: digestText(parts.software),
  };
}
