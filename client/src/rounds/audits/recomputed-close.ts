import { fromHex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type AnnouncedClose,
  decodeMessage,
  hashOfAnswer,
  hashOfSurvivors,
  type SurvivorEntry,
  verifyClose,
} from '@regulon/shared/secagg';
import type { AuditPlace } from './audit-place.js';
import { keepClose } from './evidence.js';
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
 * other groups saw: the audit compares the own one with the log.
 *
 * @throws E_FORK when the signed close does not recompute
 */
export async function verifyRecomputed(place: AuditPlace, closed: DerivedClose): Promise<void> {
  const { round, manifest, own, survivors, transcript: T, aggregateRoot, modelOut } = closed;
  const view = ownViewOf(place, closed);
  const h1 = own?.facts.h1;
  if (!own || !view || h1 === undefined || manifest.subCohort > 0) return;
  const { attempt } = manifest;
  const { id } = place.site.site.own;
  const items = await place.site.link.fetch({ type: 'answers', run: place.runId, round, attempt });
  const h3 = hashOfSurvivors(view.ctx, view.h2, survivors);
  const close: AnnouncedClose = {
    ...{ h1: fromHex(h1, 32), h3, aggRoot: aggregateRoot, modelHash: modelOut, T },
    answers: items.map(({ site, digest, signature: sig }) => ({ id: site, digest, sig })),
  };
  try {
    verifyClose(view, close, { id, digest: ownAnswer(place, closed, view.ctx) });
  } catch (failure) {
    if (failure instanceof RegulonError)
      keepClose(place, { manifest, own, close, signature: closed.signature, survivors, failure });
    throw failure;
  }
}

/** a_i of what this site answered in the attempt; undefined when it did not. */
function ownAnswer(
  { site, run }: AuditPlace,
  { round, manifest }: DerivedClose,
  ctx: Uint8Array,
): Uint8Array | undefined {
  const answered = site.answered.find(run, round);
  if (answered?.attempt !== manifest.attempt) return undefined;
  return hashOfAnswer(ctx, answered.h3, decodeMessage('answer', answered.answer).entries);
}
