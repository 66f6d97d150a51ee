import { equalBytes, u32 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { aggRootOf } from './attempt-server.js';
import { verifyTagged } from './hashing.js';
import { thresholdsOf } from './manifest-checks.js';
import type { SiteId } from './manifest.js';
import type { CohortView } from './r3-survivors.js';
import { memberKey } from './roster.js';
import { hashOfGroup, hashOverGroups } from './sub-cohorts.js';
import { byId, type CloseFields, closeTranscript } from './transcript.js';

/** That a site answered R4, without what it answered. */
export interface ShownAnswer {
  readonly id: SiteId;
  /** a_i, 32 bytes */
  readonly digest: Uint8Array;
  /** σ4 */
  readonly sig: Uint8Array;
}

/** A close as it was announced to a site that was in R2. */
export interface AnnouncedClose extends Omit<CloseFields, 'h2' | 'answers'> {
  /** the answers that T covers, in any order */
  readonly answers: readonly ShownAnswer[];
  /** as the coordinator signed it, 32 bytes */
  readonly T: Uint8Array;
}

/** A group of a close as the log has it; hashes of 32 bytes. */
export interface ClosedGroup {
  /** its part of U1, sorted */
  readonly sites: readonly SiteId[];
  readonly h2: Uint8Array;
  readonly h3: Uint8Array;
  readonly aggRoot: Uint8Array;
}

/** What a site gave itself: a_i of its answer; absent when it answered nothing. */
interface OwnAnswer {
  readonly id: SiteId;
  readonly digest?: Uint8Array | undefined;
}

/** Who may have answered for some survivors, and how many did. */
interface Answerers {
  readonly members: readonly SiteId[];
  /** |U1|, or of the group */
  readonly n: number;
  readonly h3: Uint8Array;
}

/**
 * Recompute T of a close from what this site knows: nobody else says what was closed.
 *
 * @param own this site
 * @throws E_FORK when T covers something else, or answers that members of U2 did not give
 */
export function verifyClose(view: CohortView, close: AnnouncedClose, own: OwnAnswer): void {
  const { h1, h3, answers, aggRoot, modelHash, T } = close;
  const digests = checkAnswers(view, { members: view.u2, n: view.n, h3 }, answers, own);
  const found = closeTranscript(view.ctx, { h1, h2: view.h2, h3, answers: digests, aggRoot, modelHash });
  if (!equalBytes(found, T)) refuse(view, NOT_FOLLOWING);
}

/**
 * Recompute T of a close with sub-cohorts: of its own group a site knows everything, of the others what the log says, and
 * the signatures of those who answered there.
 *
 * @param view of the own group
 * @param close its h1 is that of all of U1, its h3 that of the own group
 * @param groups all of them, in their order; the own one was compared with what this site saw
 * @param own this site, and h1 of its group
 * @throws E_FORK when T covers something else, other groups than those of L1, or answers that no member gave
 */
export function verifyGroupedClose(
  view: CohortView,
  { h1, answers, aggRoot, modelHash, T }: AnnouncedClose,
  groups: readonly ClosedGroup[],
  own: OwnAnswer & { readonly h1: Uint8Array },
): void {
  const { manifest, ctx } = view;
  const ownPlace = groups.findIndex((group) => group.sites.includes(own.id));
  const sites = groups[ownPlace]?.sites;
  if (!sites || !equalBytes(hashOfGroup(h1, ownPlace, sites), own.h1))
    refuse(view, 'its groups do not follow from L1');
  const grouped = groups.map((group) => answers.filter(({ id }) => group.sites.includes(id)));
  if (grouped.flat().length !== answers.length) refuse(view, 'an answer of a site that is in no group');
  const digests = groups.flatMap((group, k) => {
    const members = k === ownPlace ? view.u2 : group.sites;
    return checkAnswers(view, { members, n: group.sites.length, h3: group.h3 }, grouped[k] ?? [], own);
  });
  const over = (hashes: readonly Uint8Array[]): Uint8Array => hashOverGroups(manifest, ctx, hashes);
  const roots = { aggRoot, groupRoots: groups.map((group) => group.aggRoot) };
  const found = closeTranscript(ctx, {
    ...{ h1, h2: over(groups.map(({ h2 }) => h2)), h3: over(groups.map(({ h3 }) => h3)) },
    ...{ answers: digests, aggRoot: aggRootOf(manifest, ctx, roots), modelHash },
  });
  if (!equalBytes(found, T)) refuse(view, NOT_FOLLOWING);
}

const NOT_FOLLOWING = 'the announced close does not follow from its sets, answers, sum and result';

/** @returns a_i of each, in the order of ids, as T covers them @throws E_FORK */
function checkAnswers(
  view: CohortView,
  { members, n, h3 }: Answerers,
  answers: readonly ShownAnswer[],
  own: OwnAnswer,
): Uint8Array[] {
  const { t } = thresholdsOf(view.manifest, view.roster, n);
  const ids = new Set(answers.map(({ id }) => id));
  if (ids.size !== answers.length) refuse(view, 'an answer counts twice');
  if (answers.length !== t) refuse(view, `it was closed with ${answers.length} answers, not with ${t}`);
  for (const { id, digest, sig } of answers) {
    if (!members.includes(id)) refuse(view, `an answer of site ${id}, which is not in U2`);
    const fields = [h3, u32(id), digest];
    if (!verifyTagged({ key: memberKey(view.roster, id), ctx: view.ctx, tag: 'R4', fields, sig }))
      refuse(view, `the answer of site ${id} is not signed by it over these survivors`);
    if (id === own.id && !(own.digest && equalBytes(digest, own.digest)))
      refuse(view, 'it was closed with another answer than this site gave');
  }
  return byId(answers).map(({ digest }) => digest);
}

function refuse({ manifest }: CohortView, why: string): never {
  throw new RegulonError('E_FORK', `round ${manifest.round}: ${why}`);
}
