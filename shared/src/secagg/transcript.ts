import { equalBytes, sha256, u32, u8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { idList, signTagged, tagHash, verifyTagged } from './hashing.js';
import { ctxOf, type Manifest, type SiteId } from './manifest.js';
import type { AdvertiseKeys, AnswerEntry, SurvivorEntry } from './messages.js';

/** Items in the order of their ids. */
export function byId<T extends { readonly id: SiteId }>(items: Iterable<T>): T[] {
  return [...items].sort((a, b) => a.id - b.id);
}

/** h1: the keys of U1. @param list sorted by id */
export function hashOfKeys(ctx: Uint8Array, list: readonly AdvertiseKeys[]): Uint8Array {
  return tagHash('L1', ctx, u32(list.length), ...list.flatMap((k) => [u32(k.id), k.cPk, k.sPk, k.nonce]));
}

/** h2: the members of U2. @param ids sorted */
export function hashOfMembers(ctx: Uint8Array, h1: Uint8Array, ids: readonly SiteId[]): Uint8Array {
  return tagHash('U2', ctx, h1, ...idList(ids));
}

/** h3: the survivors with the roots of their uploads. @param survivors sorted by id */
export function hashOfSurvivors(
  ctx: Uint8Array,
  h2: Uint8Array,
  survivors: readonly SurvivorEntry[],
): Uint8Array {
  return tagHash('U3', ctx, h2, u32(survivors.length), ...survivors.flatMap((s) => [u32(s.id), s.root]));
}

/** a_i: what one answer says. @param entries sorted by the site they are about */
export function hashOfAnswer(ctx: Uint8Array, h3: Uint8Array, entries: readonly AnswerEntry[]): Uint8Array {
  return tagHash(
    'ANS',
    ctx,
    h3,
    u32(entries.length),
    ...entries.flatMap((e) => [u8(e.kind), u32(e.about), e.share, e.r]),
  );
}

/** Digest that a dealer commits to for one share: kind 0 of b, kind 1 of s. */
export interface ShareOpening {
  readonly kind: 0 | 1;
  readonly dealer: SiteId;
  readonly holder: SiteId;
  readonly share: Uint8Array;
  readonly r: Uint8Array;
}

/** dB or dS: the digest of one share under this attempt's keys. */
export function shareDigest(ctx: Uint8Array, h1: Uint8Array, o: ShareOpening): Uint8Array {
  return tagHash(o.kind === 0 ? 'SB' : 'SS', ctx, h1, u32(o.dealer), u32(o.holder), o.share, o.r);
}

/** cb: the commitment of a site to its self-mask seed. */
export function seedCommitment(ctx: Uint8Array, id: SiteId, b: Uint8Array): Uint8Array {
  return tagHash('B', ctx, u32(id), b);
}

/** First field of a leaf: digest of the envelope, or zeros for what a site deals to itself. */
export function envelopeDigest(envelope: Uint8Array): Uint8Array {
  return envelope.length === 0 ? new Uint8Array(32) : sha256(envelope);
}

/** What T covers. */
export interface CloseFields {
  readonly h1: Uint8Array;
  readonly h2: Uint8Array;
  readonly h3: Uint8Array;
  /** a_i of the answers used, sorted by the id of who answered */
  readonly answers: readonly Uint8Array[];
  readonly aggRoot: Uint8Array;
  /** digest of what the server step gave */
  readonly modelHash: Uint8Array;
}

/** T of a closed attempt: the next prevTranscriptHash, 32 bytes. */
export function closeTranscript(ctx: Uint8Array, f: CloseFields): Uint8Array {
  return tagHash('T', ctx, f.h1, f.h2, f.h3, u32(f.answers.length), ...f.answers, f.aggRoot, f.modelHash);
}

/** T of an aborted attempt. @param lastHash h1, h2 or h3, whichever was fixed last; 32 zero bytes before h1 */
export function abortTranscript(ctx: Uint8Array, reason: string, lastHash: Uint8Array): Uint8Array {
  return tagHash('TABORT', ctx, reason, lastHash);
}

/** The coordinator's signature under a transcript. @param tag `CLOSE` or `ABORT` @returns 64 bytes */
export function signTranscript(
  seed: Uint8Array,
  ctx: Uint8Array,
  tag: 'CLOSE' | 'ABORT',
  T: Uint8Array,
): Uint8Array {
  return signTagged(seed, ctx, tag, T);
}

/** @throws E_FORK if the coordinator did not sign this transcript */
export function verifyTranscript(
  coordinatorKey: Uint8Array,
  signed: { ctx: Uint8Array; tag: 'CLOSE' | 'ABORT'; T: Uint8Array; sig: Uint8Array },
): void {
  if (
    !verifyTagged({
      key: coordinatorKey,
      ctx: signed.ctx,
      tag: signed.tag,
      fields: [signed.T],
      sig: signed.sig,
    })
  ) {
    throw new RegulonError('E_FORK', 'the end of an attempt is not signed by the coordinator');
  }
}

/** One signed end of an attempt, as the coordinator hands it to a site that missed it. */
export interface TranscriptLink {
  /** binds the link to what came before it */
  readonly manifest: Manifest;
  readonly tag: 'CLOSE' | 'ABORT';
  readonly T: Uint8Array;
  readonly sig: Uint8Array;
}

/**
 * Follow a chain of signed ends from the own record to what a new manifest names.
 *
 * @param from last T that the site knows, 32 bytes
 * @param to prevTranscriptHash of the new manifest
 * @throws E_FORK if a link is missing or not signed
 */
export function verifyChain(
  coordinatorKey: Uint8Array,
  { from, to, links }: { from: Uint8Array; to: Uint8Array; links: readonly TranscriptLink[] },
): void {
  let at = from;
  for (const { manifest, tag, T, sig } of links) {
    if (!equalBytes(manifest.prevTranscriptHash, at)) break;
    verifyTranscript(coordinatorKey, { ctx: ctxOf(manifest), tag, T, sig });
    at = T;
  }
  if (!equalBytes(at, to))
    throw new RegulonError('E_FORK', 'the announced history does not follow from the known one');
}
