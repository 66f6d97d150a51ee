import { equalBytes, fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type CohortView,
  ctxOf,
  decodeMessage,
  hashOfSurvivors,
  type Manifest,
  type SurvivorEntry,
  verifySurvivors,
} from '@regulon/shared/secagg';
import type { AttemptRow } from '../../state/index.js';
import type { AuditPlace } from './audit-place.js';

/** A closed attempt. */
export interface ClosedAttempt {
  readonly round: number;
  readonly manifest: Manifest;
  /** this site's own record, when it took part */
  readonly own: AttemptRow | undefined;
}

/** The cohort as this site saw it in R2, and what it signed of it; undefined when it was not there. */
export function ownViewOf(
  { site, agreement }: Pick<AuditPlace, 'site' | 'agreement'>,
  { manifest, own }: ClosedAttempt,
): CohortView | undefined {
  const { h2, peers, u1 } = own?.facts ?? {};
  if (h2 === undefined || !peers) return undefined;
  return {
    ...{ manifest, roster: site.federation.rosterView, ctx: ctxOf(manifest), h2: fromHex(h2, 32) },
    ...{ n: u1 ?? manifest.N, u2: peers.map(({ id }) => id), uncounted: new Set(agreement.uncounted) },
  };
}

/**
 * U3 of a closed attempt with the roots that its members signed.
 *
 * A site that was in R2 checks every signature under its own h2, and compares with the survivors that it signed in R3.
 *
 * @returns sorted by id; unchecked when this site was not in the attempt, and those of other groups than its own
 * @throws E_FORK when they are not those of R3
 * @throws E_MODEL when they are no survivors of this attempt: what was summed is not what the sites sent
 */
export async function survivorsOf(place: AuditPlace, closed: ClosedAttempt): Promise<SurvivorEntry[]> {
  const { round, manifest } = closed;
  const { attempt } = manifest;
  const items = await place.site.link.fetch({ type: 'survivors', run: place.runId, round, attempt });
  const survivors = items.map((i) => decodeMessage('survivor', i.message)).sort((a, b) => a.id - b.id);
  const view = ownViewOf(place, closed);
  if (view) verifyOwn(place, closed, view, ofOwnGroup(view, survivors));
  return survivors;
}

/** Those of the group of this site; all of them without sub-cohorts. */
export function ofOwnGroup<T extends { readonly id: number }>(
  { manifest, u2 }: CohortView,
  list: readonly T[],
): T[] {
  return list.filter(({ id }) => manifest.subCohort === 0 || u2.includes(id));
}

function verifyOwn(
  { site, run, agreement }: AuditPlace,
  { round, manifest, own }: ClosedAttempt,
  view: CohortView,
  survivors: readonly SurvivorEntry[],
): void {
  const answered = site.answered.find(run, round);
  const signed = own?.facts.h3;
  const known =
    signed !== undefined
      ? fromHex(signed, 32)
      : answered?.attempt === manifest.attempt
        ? answered.h3
        : undefined;
  if (known && !equalBytes(hashOfSurvivors(view.ctx, view.h2, survivors), known))
    throw new RegulonError('E_FORK', `round ${round}: other survivors than before`);
  try {
    verifySurvivors(view, survivors, agreement.contract.plan.deadlines.minSurvivors ?? 0);
  } catch (cause) {
    throw new RegulonError(
      'E_MODEL',
      `round ${round}: it was closed over uploads that its sites did not sign`,
      {
        cause,
      },
    );
  }
}
