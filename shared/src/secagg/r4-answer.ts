import { equalBytes, u32 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import type { SiteId } from './manifest.js';
import { LEAF_LENGTH, type AnswerEntry, type UnmaskAnswer } from './messages.js';
import type { OpenedShares } from './r1-deal.js';
import type { CohortView } from './r3-survivors.js';
import { memberKey } from './roster.js';
import { hashOfAnswer, shareDigest } from './transcript.js';

/**
 * The entries of an answer: exactly one kind for each dealer, because both together would open its upload.
 *
 * @param opened shares of every member of U2, sorted by dealer
 * @param survivors U3
 */
export function answerEntries(
  opened: readonly OpenedShares[],
  survivors: ReadonlySet<SiteId>,
): AnswerEntry[] {
  return opened.map((o) =>
    survivors.has(o.from)
      ? { kind: 0, about: o.from, share: o.sb.slice(), r: o.rb.slice() }
      : { kind: 1, about: o.from, share: o.ss.slice(), r: o.rs.slice() },
  );
}

/** What the checks of an answer need beside the cohort. */
export interface AnswerContext {
  readonly h1: Uint8Array;
  readonly h3: Uint8Array;
  readonly survivors: ReadonlySet<SiteId>;
  /** leaf that a dealer signed for a holder */
  readonly leafOf: (dealer: SiteId, holder: SiteId) => Uint8Array;
}

/**
 * Check an answer at the coordinator: signed, complete, and every share the one that its dealer signed for this holder.
 *
 * @returns a_i, 32 bytes
 * @throws E_SIG_R4 if it is not signed, or does not hold exactly the wanted kind for every member of U2
 * @throws E_SHARE if a share misses its digest: the holder lies, provably
 */
export function verifyAnswer(
  view: CohortView,
  { h1, h3, survivors, leafOf }: AnswerContext,
  m: UnmaskAnswer,
): Uint8Array {
  const refuse = (why: string): never => {
    throw new RegulonError('E_SIG_R4', `the answer of site ${m.id} ${why}`, { details: { site: m.id } });
  };
  if (!view.u2.includes(m.id)) refuse('comes from outside U2');
  const hash = hashOfAnswer(view.ctx, h3, m.entries);
  const fields = [h3, u32(m.id), hash];
  if (!verifyTagged({ key: memberKey(view.roster, m.id), ctx: view.ctx, tag: 'R4', fields, sig: m.sig })) {
    refuse('is not signed by it over the same survivors');
  }
  const wanted = view.u2.map((about) => ({ about, kind: survivors.has(about) ? 0 : 1 }));
  const complete = wanted.every(
    ({ about, kind }, k) => m.entries[k]?.about === about && m.entries[k]?.kind === kind,
  );
  if (!complete || m.entries.length !== wanted.length)
    refuse('does not hold one share of the right kind for each member');
  for (const { kind, about, share, r } of m.entries) {
    const digest = shareDigest(view.ctx, h1, { kind, dealer: about, holder: m.id, share, r });
    const at = kind === 0 ? LEAF_LENGTH / 3 : (2 * LEAF_LENGTH) / 3;
    if (!equalBytes(leafOf(about, m.id).subarray(at, at + LEAF_LENGTH / 3), digest)) {
      throw new RegulonError(
        'E_SHARE',
        `site ${m.id} answered with a share that site ${about} did not deal`,
        {
          details: { site: m.id },
        },
      );
    }
  }
  return hash;
}
