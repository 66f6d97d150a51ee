import { u32 } from '../crypto/index.js';
import { RegulonError } from '../errors/index.js';
import { verifyTagged } from './hashing.js';
import { contributorsOf, thresholdsOf } from './manifest-checks.js';
import { vectorLength, type Manifest, type SiteId } from './manifest.js';
import type { ConsistencySignature, SurvivorEntry } from './messages.js';
import { memberKey, type RosterView } from './roster.js';

/** The fixed part of an attempt after R2. */
export interface CohortView {
  readonly manifest: Manifest;
  readonly roster: RosterView;
  readonly ctx: Uint8Array;
  readonly h2: Uint8Array;
  /** |U1| */
  readonly n: number;
  /** U2, sorted */
  readonly u2: readonly SiteId[];
  /** contributors that count towards no minimum (public data in a run that is not public) */
  readonly uncounted: ReadonlySet<SiteId>;
}

/** @throws E_SIG_R2 if a site did not sign this root of this many elements */
export function verifyCommit(
  { ctx, h2, roster }: Pick<CohortView, 'ctx' | 'h2' | 'roster'>,
  commit: SurvivorEntry & { length: number },
): void {
  const fields = [h2, u32(commit.id), u32(commit.length), commit.root];
  if (!verifyTagged({ key: memberKey(roster, commit.id), ctx, tag: 'R2', fields, sig: commit.sig })) {
    throw new RegulonError('E_SIG_R2', `the upload of site ${commit.id} is not signed by it`);
  }
}

/**
 * Check a survivor set: a part of U2, no site twice, large enough, every upload signed.
 *
 * @param survivors sorted by id
 * @param minSurvivors the plan's own minimum of |U3| and of its contributors; raises uMin, never lowers it
 * @throws E_U3 naming the rule that fails
 */
export function verifySurvivors(
  view: CohortView,
  survivors: readonly SurvivorEntry[],
  minSurvivors = 0,
): void {
  const refuse = (why: string, cause?: unknown): never => {
    throw new RegulonError('E_U3', `round ${view.manifest.round}: ${why}`, { cause });
  };
  const ids = survivors.map(({ id }) => id);
  const needed = Math.max(thresholdsOf(view.manifest, view.roster, view.n).uMin, minSurvivors);
  const contributors = contributorsOf(view.manifest, view.uncounted);
  if (new Set(ids).size !== ids.length) refuse('a survivor is listed twice');
  if (ids.some((id) => !view.u2.includes(id))) refuse('a survivor is not in U2');
  if (ids.length < needed) refuse(`${ids.length} survivors, ${needed} are needed`);
  const contributing = ids.filter((id) => contributors.has(id)).length;
  if (contributing < needed) refuse(`${contributing} contributing survivors, ${needed} are needed`);
  for (const entry of survivors) {
    try {
      verifyCommit(view, { ...entry, length: vectorLength(view.manifest) });
    } catch (cause) {
      refuse(`the upload of site ${entry.id} is not signed by it`, cause);
    }
  }
}

/** True when a member of U2 signed this survivor set. */
export function confirms(view: CohortView, h3: Uint8Array, { id, sig }: ConsistencySignature): boolean {
  if (!view.u2.includes(id)) return false;
  return verifyTagged({
    key: memberKey(view.roster, id),
    ctx: view.ctx,
    tag: 'R3',
    fields: [h3, u32(id)],
    sig,
  });
}

/** Number of distinct members of U2 that signed this survivor set. */
export function countConfirmations(
  view: CohortView,
  h3: Uint8Array,
  list: readonly ConsistencySignature[],
): number {
  const confirmed = new Set<SiteId>();
  for (const entry of list)
    if (!confirmed.has(entry.id) && confirms(view, h3, entry)) confirmed.add(entry.id);
  return confirmed.size;
}
