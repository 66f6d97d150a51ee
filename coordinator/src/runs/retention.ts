import { equalBytes, hex } from '@regulon/shared/crypto';
import type { RunProgram } from '@regulon/shared/program';
import type { Services } from '../rounds/index.js';
import type { AttemptKey } from '../storage/index.js';

/** Remove the masked vectors of attempts, file and row. @param isOver which attempts; all by default */
export async function removeSpools(
  { uploads, spool }: Services,
  isOver: (key: AttemptKey) => boolean = () => true,
): Promise<void> {
  for (const key of uploads.attempts().filter(isOver)) {
    uploads.forget(key);
    await spool.removeAttempt(key);
  }
}

/** Remove the masked vectors of a run's rounds before this one. */
export function removeEarlierSpools(services: Services, runId: Uint8Array, round: number): Promise<void> {
  return removeSpools(services, (key) => equalBytes(key.runId, runId) && key.round < round);
}

/** Remove the models of a run that newer ones have replaced. */
export function removeReplacedModels({ rounds, blobs }: Services, program: RunProgram): void {
  const current = new Set(program.arms.flatMap(({ index }) => program.model(index) ?? []).map(hex));
  for (const { kind, digest } of rounds.blobs(program.contract.runId)) {
    if (kind !== 'model' || current.has(hex(digest))) continue;
    rounds.removeBlob(digest);
    blobs.remove(digest);
  }
}

/** Remove the sums of runs that are over; until the next run starts sites may audit the last round. */
export function removeAggregates({ rounds, blobs }: Services, isOver: (runId: Uint8Array) => boolean): void {
  for (const { digest, run_id: runId } of rounds.aggregates()) {
    if (!isOver(runId)) continue;
    rounds.removeBlob(digest);
    blobs.remove(digest);
  }
}
