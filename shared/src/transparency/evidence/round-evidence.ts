import { enc, rootOf, u32, utf8 } from '../../crypto/index.js';
import { RegulonError } from '../../errors/index.js';
import {
  type AdvertiseKeys,
  type ConsistencySignature,
  decodeMessage,
  encodeMessage,
  type MaskedCommit,
  type MessageKind,
  type MessageOfKind,
  type ShareKeys,
  type SiteId,
  type UnmaskAnswer,
} from '../../secagg/index.js';
import { FieldList, memberFields } from './field-list.js';

const EVIDENCE = 'regulon/round-evidence/v1';
const SIGNATURES = 'regulon/consistency-signatures/v1';

/** What σ1 of one dealer covers; the sealed shares themselves are no evidence. */
export interface ShareHeader {
  readonly id: SiteId;
  /** commitment to the self-mask seed, 32 bytes */
  readonly cb: Uint8Array;
  /** root over the dealer's leaves, 32 bytes */
  readonly root: Uint8Array;
  /** σ1, 64 bytes */
  readonly sig: Uint8Array;
}

/** Every signed message of a closed round, so that anybody can check its sets and thresholds again. */
export interface RoundEvidence {
  /** L1: U1 */
  readonly advertised: readonly AdvertiseKeys[];
  /** U2 */
  readonly dealers: readonly ShareHeader[];
  /** U3 */
  readonly commits: readonly MaskedCommit[];
  readonly consistency: readonly ConsistencySignature[];
  readonly answers: readonly UnmaskAnswer[];
  /** ids whose answers T covers, ascending */
  readonly responders: readonly SiteId[];
}

/** The messages as the coordinator holds them, in any order. */
export interface RoundMessages extends Omit<RoundEvidence, 'dealers'> {
  readonly shares: readonly ShareKeys[];
}

const byId = <T extends { readonly id: SiteId }>(list: readonly T[]): T[] =>
  [...list].sort((a, b) => a.id - b.id);

/** Evidence of a round from the coordinator's messages: sorted, shares cut down to their headers. */
export function roundEvidenceOf({ shares, ...messages }: RoundMessages): RoundEvidence {
  const dealers = shares.map(({ id, cb, leaves, sig }) => ({ id, cb, root: rootOf(leaves), sig }));
  return {
    advertised: byId(messages.advertised),
    dealers: byId(dealers),
    commits: byId(messages.commits),
    consistency: byId(messages.consistency),
    answers: byId(messages.answers),
    responders: [...messages.responders].sort((a, b) => a - b),
  };
}

/** The one byte string of some evidence, for the attachment of `round.aggregate`. */
export function encodeRoundEvidence(evidence: RoundEvidence): Uint8Array {
  const messages = <K extends MessageKind>(kind: K, list: readonly MessageOfKind[K][]): Uint8Array[] =>
    memberFields(list.map((message) => encodeMessage(kind, message)));
  return enc(
    utf8(EVIDENCE),
    ...messages('advertise', evidence.advertised),
    ...memberFields(evidence.dealers.map(({ id, cb, root, sig }) => enc(u32(id), cb, root, sig))),
    ...messages('commit', evidence.commits),
    ...messages('consistency', evidence.consistency),
    ...messages('answer', evidence.answers),
    ...memberFields(evidence.responders.map(u32)),
  );
}

/**
 * Read the evidence of a round; attacker-controlled.
 *
 * @throws E_MESSAGE if it is not in its canonical form; signatures are not checked
 */
export function parseRoundEvidence(bytes: Uint8Array): RoundEvidence {
  const fields = opened(bytes, EVIDENCE, 'the evidence of a round');
  const evidence: RoundEvidence = {
    advertised: readMessages(fields, 'advertise'),
    dealers: fields.members(
      () => readHeader(fields.next()),
      ({ id }) => id,
    ),
    commits: readMessages(fields, 'commit'),
    consistency: readMessages(fields, 'consistency'),
    answers: readMessages(fields, 'answer'),
    responders: fields.members(
      () => fields.number(),
      (id) => id,
    ),
  };
  fields.end();
  return evidence;
}

/** The consistency signatures that a site saw, for the attachment of `round.unmask`. */
export function encodeConsistencySignatures(list: readonly ConsistencySignature[]): Uint8Array {
  return enc(
    utf8(SIGNATURES),
    ...memberFields(byId(list).map((message) => encodeMessage('consistency', message))),
  );
}

/** @throws E_MESSAGE if the bytes are not of `encodeConsistencySignatures` */
export function parseConsistencySignatures(bytes: Uint8Array): ConsistencySignature[] {
  const fields = opened(bytes, SIGNATURES, 'a list of consistency signatures');
  const list = readMessages(fields, 'consistency');
  fields.end();
  return list;
}

function opened(bytes: Uint8Array, name: string, what: string): FieldList {
  const fields = new FieldList(bytes, what);
  if (Buffer.from(fields.next()).toString('latin1') !== name) {
    throw new RegulonError('E_MESSAGE', `${what} is of another format`);
  }
  return fields;
}

function readMessages<K extends 'advertise' | 'commit' | 'consistency' | 'answer'>(
  fields: FieldList,
  kind: K,
): MessageOfKind[K][] {
  return fields.members(
    () => decodeMessage(kind, fields.next()),
    (message) => message.id,
  );
}

function readHeader(bytes: Uint8Array): ShareHeader {
  const fields = new FieldList(bytes, 'the header of a dealer');
  const header = { id: fields.number(), cb: fields.next(32), root: fields.next(32), sig: fields.next(64) };
  fields.end();
  return header;
}
