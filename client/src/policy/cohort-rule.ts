import { RegulonError } from '@regulon/shared/errors';
import { checkCohortRule } from '@regulon/shared/secagg';
import { Purpose, type RunContract, type ScheduledRound } from '@regulon/shared/program';
import type { AnsweredRow, OwnedSum } from '../state/index.js';

/** A survivor set that this site is asked to reveal for. */
export interface Release {
  readonly contract: RunContract;
  readonly run: string;
  readonly round: ScheduledRound;
  /** U3 ∩ contributors */
  readonly cohort: readonly number[];
  /** coordinates of which only some of the cohort enter the sum */
  readonly owned: readonly OwnedSum[];
  /** modelHash of the manifest, hexadecimal */
  readonly modelHash: string;
}

/**
 * The cohort rule: unless the run is public, the survivors must equal or be disjoint from every stored set.
 *
 * Statistics and evaluation compare over all runs, plans and steps; training over rounds that start from the same
 * weights, also weight by weight where some are of some owners only; under `stableCohort` a run never changes its
 * contributors between the rounds of an arm.
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
  const rows = comparable(release, answered, stableCohort);
  checkCohortRule(
    release.cohort,
    rows.map((row) => row.cohort),
  );
  const other = rows.find((row) => !isDisjoint(row.cohort, release.cohort) && !isSameOwned(row, release));
  if (other)
    throw new RegulonError(
      'E_U3',
      `round ${release.round.round}: round ${other.round} of ${other.run} summed some of its weights over other owners`,
      { hint: 'start from other weights: another seed in the plan' },
    );
}

const isDisjoint = (a: readonly number[], b: readonly number[]): boolean => !a.some((id) => b.includes(id));

/** Over every coordinate the same sites: else a difference of the two sums is that of fewer of them. */
const isSameOwned = (a: Pick<Release, 'owned'>, b: Pick<Release, 'owned'>): boolean =>
  JSON.stringify(a.owned) === JSON.stringify(b.owned);

function comparable(release: Release, answered: readonly AnsweredRow[], stable: boolean): AnsweredRow[] {
  const { round, run, modelHash } = release;
  if (round.purpose !== Purpose.train) return answered.filter((row) => row.purpose !== Purpose.train);
  return answered.filter((row) => {
    if (row.purpose !== Purpose.train) return false;
    return row.modelHash === modelHash || (stable && row.run === run && row.arm === round.arm);
  });
}
