import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { combinationOf, type Plan } from '@regulon/shared/plan';
import { Purpose, type ScheduledRound } from '@regulon/shared/program';
import type { Manifest, SecAggClient } from '@regulon/shared/secagg';
import type { AttemptFacts } from '../../state/index.js';

/** The group of this site, and all groups where there are several. */
export function cohortFacts(client: SecAggClient, { subCohort }: Manifest): AttemptFacts {
  const { keys, h1 } = client.cohort();
  const groups = client.groups().map((group) => group.keys.map(({ id }) => id));
  const peers = keys.map((k) => ({ id: k.id, sPk: hex(k.sPk), cb: '' }));
  return { h1: hex(h1), u1: keys.length, peers, ...(subCohort === 0 ? {} : { groups }) };
}

/** @throws E_COHORT when U1 makes fewer groups than the rule of the plan can tell apart: nothing is dealt then */
export function verifyGroups(
  groups: readonly unknown[],
  plan: Plan,
  { round, purpose }: Pick<ScheduledRound, 'round' | 'purpose'>,
): void {
  const { rule, leastGroups } = combinationOf(plan);
  if (purpose !== Purpose.train || groups.length >= leastGroups) return;
  throw new RegulonError(
    'E_COHORT',
    `round ${round}: its sites make ${groups.length} groups, and the ${rule} of the plan needs ${leastGroups}`,
  );
}
