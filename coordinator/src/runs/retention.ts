import { equalBytes, hex } from '@regulon/shared/crypto';
import { type RunProgram, runName } from '@regulon/shared/program';
import { ctxOf, decodeManifest } from '@regulon/shared/secagg';
import { type BodyOf, digestText } from '@regulon/shared/transparency';
import type { Services } from '../rounds/index.js';
import type { AttemptKey } from '../storage/index.js';

type Rule = BodyOf<'retention.delete'>['rule'];

/**
 * Remove the masked vectors of attempts; of a closed round a signed record stays in the log. The files go first: a record
 * of what is still there would be untrue, and a crash between leaves rows, from which it is done again.
 *
 * @param isOver which attempts
 */
export async function removeSpools(
  services: Services,
  rule: Rule,
  isOver: (key: AttemptKey) => boolean,
): Promise<void> {
  const { uploads, spool, store } = services;
  for (const key of uploads.attempts().filter(isOver)) {
    await spool.removeAttempt(key);
    store.transaction(() => {
      if (uploads.forget(key)) recordDeletion(services, key, rule);
    });
  }
}

/** Inside the caller's transaction. */
function recordDeletion({ rounds, log }: Services, key: AttemptKey, rule: Rule): void {
  const outcome = rounds.outcome(key.runId, key.round);
  const row = rounds.attempt(key);
  if (!row || outcome?.attempt !== key.attempt) return;
  const vectors = (JSON.parse(outcome.survivors) as number[]).length;
  log.appendOwn({
    kind: 'retention.delete',
    ...{ run: runName(key.runId), round: key.round, attempt: key.attempt },
    body: {
      context: digestText(ctxOf(decodeManifest(new Uint8Array(row.manifest)))),
      transcript: digestText(outcome.transcript),
      class: 'masked-vectors',
      ...{ vectors, bytes: vectors * outcome.aggregate_bytes, rule },
    },
  });
}

/**
 * Remove the masked vectors of a run's rounds that have left the audit window.
 *
 * @param round that closed last; a checkpoint covers it
 * @param window rounds whose vectors stay, the last one among them
 */
export function removeEarlierSpools(
  services: Services,
  { runId, round }: Pick<AttemptKey, 'runId' | 'round'>,
  window: number,
): Promise<void> {
  const isOver = (key: AttemptKey): boolean => equalBytes(key.runId, runId) && key.round <= round - window;
  return removeSpools(services, 'later-close', isOver);
}

/** Remove the models of a run that newer ones have replaced. */
export function removeReplacedModels({ rounds, blobs }: Services, program: RunProgram): void {
  const current = new Set(
    program.arms.flatMap(({ index }) => program.keptModels(index).map(({ model }) => hex(model))),
  );
  for (const { kind, digest } of rounds.blobs(program.contract.runId)) {
    if (kind !== 'model' || current.has(hex(digest))) continue;
    rounds.removeBlob(digest);
    blobs.remove(digest);
  }
}

/** Remove the sums of runs that are over, when their sites need them no more. */
export function removeAggregates({ rounds, blobs }: Services, isOver: (runId: Uint8Array) => boolean): void {
  for (const { digest, run_id: runId } of rounds.aggregates()) {
    if (!isOver(runId)) continue;
    rounds.removeBlob(digest);
    blobs.remove(digest);
  }
}
