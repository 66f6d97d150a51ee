import { enc, equalBytes, rootOf, shamirCombine, u32, utf8 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { FieldReader } from './fields.js';
import { thresholdsOf } from './manifest-checks.js';
import { ctxOf, type Manifest, type SiteId } from './manifest.js';
import { LEAF_LENGTH, OPENING_BYTES, SHARE_BYTES } from './messages.js';
import { verifyDealer } from './r2-open.js';
import type { RosterView } from './roster.js';
import { seedCommitment, shareDigest } from './transcript.js';

const HEADER = 'regulon/dealer-proof/v1';
const DIGEST = LEAF_LENGTH / 3;

/** One share of a self-mask seed as its holder answered with it. */
export interface OpenedLeaf {
  /** rank of the holder in U1, from 0: its leaf, and its coordinate less one */
  readonly rank: number;
  readonly holder: SiteId;
  readonly share: Uint8Array;
  readonly r: Uint8Array;
}

/**
 * What proves that a site dealt shares of its self-mask seed that do not give what it committed to.
 *
 * It stands by itself: the dealer's signature covers the digests of all shares, in order, and the commitment; t shares
 * that match their digests and give another seed are nobody's doing but the dealer's.
 */
export interface DealerProof {
  readonly dealer: SiteId;
  readonly h1: Uint8Array;
  readonly cb: Uint8Array;
  /** σ1 of the dealer */
  readonly sig: Uint8Array;
  readonly leaves: readonly Uint8Array[];
  /** t of them, with ascending ranks */
  readonly opened: readonly OpenedLeaf[];
}

/** The one byte string of a proof. */
export function encodeDealerProof(p: DealerProof): Uint8Array {
  return enc(
    ...[utf8(HEADER), u32(p.dealer), p.h1, p.cb, p.sig],
    ...[u32(p.leaves.length), ...p.leaves],
    ...[u32(p.opened.length), ...p.opened.flatMap((o) => [u32(o.rank), u32(o.holder), o.share, o.r])],
  );
}

/**
 * Check a proof against a dealer.
 *
 * @param manifest of the attempt in which it dealt
 * @param bytes attacker-controlled
 * @returns the dealer
 * @throws E_MESSAGE if it cannot be read, E_ROSTER if no member dealt it
 * @throws E_SIG_R1 if the dealer did not sign these leaves in this attempt, E_SHARE if they prove nothing against it
 */
export function verifyDealerProof(manifest: Manifest, roster: RosterView, bytes: Uint8Array): SiteId {
  const { dealer, h1, cb, sig, leaves, opened } = readProof(bytes);
  const ctx = ctxOf(manifest);
  const refuse = (why: string): never => {
    throw new RegulonError(
      'E_SHARE',
      `round ${manifest.round}: nothing is proven against site ${dealer}: ${why}`,
    );
  };
  if (leaves.length === 0) refuse('there are no leaves');
  verifyDealer({ ctx, h1, roster }, { id: dealer, cb, root: rootOf(leaves), sig });
  const { t } = thresholdsOf(manifest, roster, leaves.length);
  if (opened.length !== t) refuse(`${opened.length} shares are open, ${t} are needed`);
  opened.forEach(({ rank, holder, share, r }, k) => {
    if (k > 0 && rank <= (opened[k - 1]?.rank ?? 0)) refuse('the ranks do not ascend');
    const digest = shareDigest(ctx, h1, { kind: 0, dealer, holder, share, r });
    const known = leaves[rank]?.subarray(DIGEST, 2 * DIGEST) ?? new Uint8Array();
    if (!equalBytes(known, digest)) refuse(`the share of site ${holder} is not the one that was dealt`);
  });
  const seed = shamirCombine(opened.map(({ rank, share }) => ({ x: rank + 1, share })));
  if (equalBytes(seedCommitment(ctx, dealer, seed), cb)) refuse('the shares give what it committed to');
  return dealer;
}

function readProof(bytes: Uint8Array): DealerProof {
  const r = new FieldReader(bytes);
  if (r.text(64) !== HEADER)
    throw new RegulonError('E_MESSAGE', 'a proof against a dealer has another version');
  const proof = {
    ...{ dealer: r.u32(), h1: r.raw(32).slice(), cb: r.raw(32).slice(), sig: r.raw(64).slice() },
    leaves: r.list(255, () => r.raw(LEAF_LENGTH).slice()),
    opened: r.list(255, () => ({
      ...{ rank: r.u32(), holder: r.u32() },
      ...{ share: r.raw(SHARE_BYTES).slice(), r: r.raw(OPENING_BYTES).slice() },
    })),
  };
  r.end();
  return proof;
}
