import { fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type AnnouncedClose,
  type CohortView,
  decodeMessage,
  hashOfAnswer,
  hashOfSurvivors,
  type ShownAnswer,
  type SurvivorEntry,
  verifyClose,
  verifyGroupedClose,
} from '@regulon/shared/secagg';
import type { AuditedRound, AuditPlace } from './audit-place.js';
import { keepClose, type WrongClose } from './evidence.js';
import type { LoggedGroups } from './logged-groups.js';
import { type ClosedAttempt, ownViewOf } from './survivors.js';

/** A close whose sum was downloaded and whose result was derived. */
export interface DerivedClose extends ClosedAttempt {
  /** U3, sorted, as `survivorsOf` gives it */
  readonly survivors: readonly SurvivorEntry[];
  /** T as the coordinator signed it, 32 bytes */
  readonly transcript: Uint8Array;
  /** 64 bytes */
  readonly signature: Uint8Array;
  readonly aggregateRoot: Uint8Array;
  /** digest of what this site derived from the sum, 32 bytes */
  readonly modelOut: Uint8Array;
}

/**
 * Recompute T of a close under the sets that this site saw, and keep what shows it when the coordinator signed another.
 *
 * A site that was not in R2 knows no such sets: it has the signature, and later the log. With sub-cohorts T covers what
 * other groups saw, which only the log has: there it is recomputed when the round is audited.
 *
 * @throws E_FORK when the signed close does not recompute
 */
export async function verifyRecomputed(place: AuditPlace, closed: DerivedClose): Promise<void> {
  const { manifest, own, survivors, transcript: T, aggregateRoot, modelOut } = closed;
  const view = ownViewOf(place, closed);
  const h1 = own?.facts.h1;
  if (!own || !view || h1 === undefined || manifest.subCohort > 0) return;
  const close: AnnouncedClose = {
    ...{ h1: fromHex(h1, 32), h3: hashOfSurvivors(view.ctx, view.h2, survivors), T },
    ...{ aggRoot: aggregateRoot, modelHash: modelOut, answers: await shownAnswers(place, view) },
  };
  const { signature } = closed;
  keeping(place, { manifest, own, close, signature, survivors }, () =>
    verifyClose(view, close, { id: place.site.site.own.id, digest: ownAnswer(place, view) }),
  );
}

/**
 * The same for a round with sub-cohorts, from its own group as this site saw it and the others as the log has them.
 *
 * @param groups compared with what this site saw
 * @param survivors of the own group
 * @throws E_FORK when the signed close does not recompute
 */
export async function verifyGroupsRecomputed(
  place: AuditPlace,
  { own, aggregateRoot, modelOut }: Pick<AuditedRound, 'own' | 'aggregateRoot' | 'modelOut'>,
  view: CohortView,
  groups: LoggedGroups,
  survivors: readonly SurvivorEntry[],
): Promise<void> {
  const h1 = own?.facts.h1;
  if (!own || h1 === undefined) return;
  const { h1: ofAll, transcript: T, signature } = groups;
  const close: AnnouncedClose = {
    ...{ h1: ofAll, h3: hashOfSurvivors(view.ctx, view.h2, survivors), T },
    ...{ aggRoot: aggregateRoot, modelHash: modelOut, answers: await shownAnswers(place, view) },
  };
  const self = { id: place.site.site.own.id, digest: ownAnswer(place, view), h1: fromHex(h1, 32) };
  keeping(place, { manifest: view.manifest, own, close, signature, survivors, groups }, () =>
    verifyGroupedClose(view, close, groups.groups, self),
  );
}

/** @throws what `verify` finds; what shows it is kept then */
function keeping(place: AuditPlace, shown: Omit<WrongClose, 'failure'>, verify: () => void): void {
  try {
    verify();
  } catch (failure) {
    if (failure instanceof RegulonError) keepClose(place, { ...shown, failure });
    throw failure;
  }
}

/** The answers that T covers, as the coordinator shows them. */
async function shownAnswers(
  { site, runId: run }: AuditPlace,
  { manifest: { round, attempt } }: CohortView,
): Promise<ShownAnswer[]> {
  const items = await site.link.fetch({ type: 'answers', run, round, attempt });
  return items.map(({ site: id, digest, signature: sig }) => ({ id, digest, sig }));
}

/** a_i of what this site answered in the attempt; undefined when it did not. */
function ownAnswer(
  { site, run }: AuditPlace,
  { manifest: { round, attempt }, ctx }: CohortView,
): Uint8Array | undefined {
  const answered = site.answered.find(run, round);
  if (answered?.attempt !== attempt) return undefined;
  return hashOfAnswer(ctx, answered.h3, decodeMessage('answer', answered.answer).entries);
}
