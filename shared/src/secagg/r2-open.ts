import {
  boxBefore,
  concatBytes,
  equalBytes,
  leafHashOf,
  secretboxOpen,
  u32,
  verifyPath,
  wipe,
} from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import type { SiteId } from './manifest.js';
import {
  ENVELOPE_BYTES,
  OPENING_BYTES,
  SHARE_BYTES,
  type AdvertiseKeys,
  type ShareDelivery,
} from './messages.js';
import { envelopeKey, type OpenedShares } from './r1-deal.js';
import { memberKey, type RosterView } from './roster.js';
import { envelopeDigest, shareDigest } from './transcript.js';

/** What the checks of a delivery need. */
export interface OpenInput {
  readonly ctx: Uint8Array;
  readonly h1: Uint8Array;
  readonly id: SiteId;
  readonly cSk: Uint8Array;
  readonly roster: RosterView;
  /** U1, sorted by id */
  readonly keys: readonly AdvertiseKeys[];
  /** what the site dealt to itself */
  readonly own: OpenedShares;
}

/** The shares of one dealer could not be opened: the site complains about `sender`. */
export class EnvelopeFailure extends RegulonError {
  constructor(
    readonly sender: SiteId,
    readonly envelope: Uint8Array,
    why: string,
  ) {
    super('E_SHARE', `the shares that site ${sender} dealt ${why}`, { details: { site: sender } });
  }
}

/** @throws E_SIG_R1 if a dealer's commitments are not signed by it */
export function verifyDealer(
  { ctx, h1, roster }: Pick<OpenInput, 'ctx' | 'h1' | 'roster'>,
  dealt: { id: SiteId; cb: Uint8Array; root: Uint8Array; sig: Uint8Array },
): void {
  const fields = [h1, u32(dealt.id), dealt.cb, dealt.root];
  if (!verifyTagged({ key: memberKey(roster, dealt.id), ctx, tag: 'R1', fields, sig: dealt.sig })) {
    throw new RegulonError(
      'E_SIG_R1',
      `the shares of site ${dealt.id} are not signed by it over the same keys`,
    );
  }
}

/**
 * Check one delivery and open it.
 *
 * @returns the shares that the dealer gave to this site
 * @throws E_SIG_R1 if signature or Merkle path fail: the coordinator changed something
 * @throws E_SHARE (`EnvelopeFailure`) if the dealer's envelope does not open to what its digests say
 */
export function openDelivery(input: OpenInput, m: ShareDelivery): OpenedShares {
  const { ctx, h1, id, keys, own } = input;
  verifyDealer(input, { id: m.from, cb: m.cb, root: m.root, sig: m.sig });
  const leaf = concatBytes(envelopeDigest(m.envelope), m.dB, m.dS);
  const rank = keys.findIndex((entry) => entry.id === id);
  if (
    !verifyPath({ leafHash: leafHashOf(leaf), index: rank, size: keys.length, path: m.path, root: m.root })
  ) {
    throw new RegulonError('E_SIG_R1', `the shares of site ${m.from} are not those that it signed`);
  }
  if ((m.envelope.length === 0) !== (m.from === id))
    throw new EnvelopeFailure(m.from, m.envelope, 'are missing');
  const opened = m.from === id ? own : openEnvelope(input, m);
  const digest = (kind: 0 | 1, share: Uint8Array, r: Uint8Array): Uint8Array =>
    shareDigest(ctx, h1, { kind, dealer: m.from, holder: id, share, r });
  const matches =
    equalBytes(digest(0, opened.sb, opened.rb), m.dB) && equalBytes(digest(1, opened.ss, opened.rs), m.dS);
  if (!matches) throw new EnvelopeFailure(m.from, m.envelope, 'do not match their digests');
  return opened;
}

function openEnvelope(
  { ctx, h1, id, cSk, keys }: OpenInput,
  { from, envelope }: ShareDelivery,
): OpenedShares {
  const dealer = keys.find((entry) => entry.id === from);
  if (dealer === undefined)
    throw new RegulonError('E_COHORT', `site ${from} is not in U1`, { retryable: false });
  if (envelope.length !== ENVELOPE_BYTES) throw new EnvelopeFailure(from, envelope, 'have a wrong length');
  const shared = boxBefore(dealer.cPk, cSk);
  const key = envelopeKey(ctx, h1, from, id, shared);
  try {
    const plain = secretboxOpen(envelope, new Uint8Array(24), key);
    const [ss, rb] = [SHARE_BYTES, 2 * SHARE_BYTES];
    const rs = rb + OPENING_BYTES;
    return {
      from,
      ...{ sb: plain.slice(0, ss), ss: plain.slice(ss, rb), rb: plain.slice(rb, rs), rs: plain.slice(rs) },
    };
  } catch {
    throw new EnvelopeFailure(from, envelope, 'do not open');
  } finally {
    wipe(shared, key);
  }
}
