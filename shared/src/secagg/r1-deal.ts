import {
  boxBefore,
  concatBytes,
  equalBytes,
  hex,
  rootOf,
  secretboxSeal,
  shamirSplit,
  u32,
  wipe,
  type RandomSource,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { deriveKey, signTagged, verifyTagged } from './hashing.js';
import type { SiteId } from './manifest.js';
import { OPENING_BYTES, type AdvertiseKeys, type ShareKeys } from './messages.js';
import { memberKey, type RosterView } from './roster.js';
import { envelopeDigest, seedCommitment, shareDigest } from './transcript.js';

/** Secrets of one site in one attempt; 32 bytes each. */
export interface SiteSecrets {
  readonly cSk: Uint8Array;
  readonly sSk: Uint8Array;
  readonly b: Uint8Array;
}

/** The shares that `from` dealt to this site, with the openings of their digests. */
export interface OpenedShares {
  readonly from: SiteId;
  readonly sb: Uint8Array;
  readonly ss: Uint8Array;
  readonly rb: Uint8Array;
  readonly rs: Uint8Array;
}

/** What `dealShares` needs. */
export interface DealInput {
  readonly ctx: Uint8Array;
  readonly h1: Uint8Array;
  readonly id: SiteId;
  readonly seed: Uint8Array;
  readonly secrets: SiteSecrets;
  /** U1, sorted by id */
  readonly keys: readonly AdvertiseKeys[];
  readonly t: number;
  readonly random: RandomSource;
}

/** @throws E_SIG_R0 if the advertised keys are not signed by their site @throws E_ROSTER if the site is unknown */
export function verifyAdvertise(ctx: Uint8Array, roster: RosterView, m: AdvertiseKeys): void {
  const fields = [u32(m.id), m.cPk, m.sPk, m.nonce];
  if (!verifyTagged({ key: memberKey(roster, m.id), ctx, tag: 'R0', fields, sig: m.sig })) {
    throw new RegulonError('E_SIG_R0', `the keys of site ${m.id} are not signed by it`);
  }
}

/**
 * Check U1 before any share is dealt.
 *
 * @param keys sorted by id
 * @throws E_ROSTER, E_SIG_R0 for entries that are not their site's
 * @throws E_LOW_ORDER for repeated or low-order keys
 */
export function verifyKeyList(
  ctx: Uint8Array,
  roster: RosterView,
  sites: ReadonlySet<SiteId>,
  keys: readonly AdvertiseKeys[],
): void {
  for (const entry of keys) {
    if (!sites.has(entry.id)) throw new RegulonError('E_ROSTER', `site ${entry.id} is not named in the plan`);
    verifyAdvertise(ctx, roster, entry);
  }
  if (new Set(keys.map(({ id }) => id)).size !== keys.length)
    throw new RegulonError('E_ROSTER', 'a site is listed twice');
  const points = keys.flatMap(({ cPk, sPk }) => [cPk, sPk]);
  if (new Set(points.map(hex)).size !== points.length)
    throw new RegulonError('E_LOW_ORDER', 'two public keys are equal');
  const probe = new Uint8Array(32).fill(8);
  for (const point of points) boxBefore(point, probe);
}

/**
 * Share the own seed and mask key among U1 and seal every pair of shares for its holder.
 *
 * @returns the signed message, and the shares that the site keeps for itself
 * @throws E_LOW_ORDER if a key of U1 is weak
 */
export function dealShares(input: DealInput): { message: ShareKeys; own: OpenedShares } {
  const { ctx, h1, id, secrets, keys, t, random } = input;
  const sbs = shamirSplit(secrets.b, t, keys.length, random);
  const sss = shamirSplit(secrets.sSk, t, keys.length, random);
  const dealt = keys.map(({ id: to, cPk }, rank) => {
    const [sb = new Uint8Array(), ss = new Uint8Array()] = [sbs[rank], sss[rank]];
    const opened: OpenedShares = { from: id, sb, ss, rb: random(OPENING_BYTES), rs: random(OPENING_BYTES) };
    const envelope = to === id ? new Uint8Array() : seal(input, to, cPk, opened);
    const leaf = concatBytes(
      envelopeDigest(envelope),
      shareDigest(ctx, h1, { kind: 0, dealer: id, holder: to, share: sb, r: opened.rb }),
      shareDigest(ctx, h1, { kind: 1, dealer: id, holder: to, share: ss, r: opened.rs }),
    );
    return { to, opened, envelope, leaf };
  });
  const own = dealt.find(({ to }) => to === id)?.opened;
  if (own === undefined) throw new RegulonError('E_STATE', `site ${id} is not in U1`);
  for (const { opened } of dealt) if (opened !== own) wipe(opened.sb, opened.ss, opened.rb, opened.rs);
  const leaves = dealt.map(({ leaf }) => leaf);
  const cb = seedCommitment(ctx, id, secrets.b);
  const sig = signTagged(input.seed, ctx, 'R1', h1, u32(id), cb, rootOf(leaves));
  return { message: { id, cb, leaves, envelopes: dealt.map(({ envelope }) => envelope), sig }, own };
}

/** Key of the envelope from one site to another, used once and in one direction. */
export function envelopeKey(
  ctx: Uint8Array,
  h1: Uint8Array,
  from: SiteId,
  to: SiteId,
  shared: Uint8Array,
): Uint8Array {
  return deriveKey(ctx, shared, 'share', h1, u32(from), u32(to));
}

/** Entries of two lists with the same keys and signatures? */
export function sameKeys(a: AdvertiseKeys, b: AdvertiseKeys): boolean {
  return (
    a.id === b.id && equalBytes(a.cPk, b.cPk) && equalBytes(a.sPk, b.sPk) && equalBytes(a.nonce, b.nonce)
  );
}

function seal({ ctx, h1, id, secrets }: DealInput, to: SiteId, cPk: Uint8Array, o: OpenedShares): Uint8Array {
  const shared = boxBefore(cPk, secrets.cSk);
  const key = envelopeKey(ctx, h1, id, to, shared);
  const plain = concatBytes(o.sb, o.ss, o.rb, o.rs);
  const envelope = secretboxSeal(plain, new Uint8Array(24), key);
  wipe(shared, key, plain);
  return envelope;
}
