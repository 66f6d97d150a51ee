import { checkCohortRule } from '@regulon/shared/secagg';
import { Purpose, type RunContract, type ScheduledRound } from '@regulon/shared/program';
import type { AnsweredRow } from '../state/index.js';

/** A survivor set that this site is asked to reveal for. */
export interface Release {
  readonly contract: RunContract;
  readonly run: string;
  readonly round: ScheduledRound;
  /** U3 ∩ contributors */
  readonly cohort: readonly number[];
  /** modelHash of the manifest, hexadecimal */
  readonly modelHash: string;
}

/**
 * The cohort rule: unless the run is public, the survivors must equal or be disjoint from every stored set.
 *
 * Statistics and evaluation compare over all runs, plans and steps; training over rounds that start from the same
 * weights; under `stableCohort` a run never changes its contributors between the rounds of an arm.
 *
 * @param answered stored answers that are not exempt themselves
 * @throws E_U3 when the difference of two sums would be the sum of fewer sites
 * @see docs/protocol.md, Answer once
 */
export function verifyCohort(
  release: Release,
  answered: readonly AnsweredRow[],
  stableCohort: boolean,
): void {
  if (release.contract.isPublic) return;
  checkCohortRule(
    release.cohort,
    comparable(release, answered, stableCohort).map((row) => row.cohort),
  );
}

function comparable(release: Release, answered: readonly AnsweredRow[], stable: boolean): AnsweredRow[] {
  const { round, run, modelHash } = release;
  if (round.purpose !== Purpose.train) return answered.filter((row) => row.purpose !== Purpose.train);
  return answered.filter((row) => {
    if (row.purpose !== Purpose.train) return false;
    return row.modelHash === modelHash || (stable && row.run === run && row.arm === round.arm);
  });
}
