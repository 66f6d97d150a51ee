import { combinationOf, groupsOfPlan, type Plan, toleratedGroups } from '@regulon/shared/plan';

/** What people read of the groups that a plan sums by themselves: who sees what, and what that withstands. None: no lines. */
export function groupLines(plan: Plan): string[] {
  const { subCohort, gamma } = plan.secureAggregation;
  if (subCohort === undefined) return [];
  const combination = combinationOf(plan);
  const groups = groupsOfPlan(plan);
  const colluders = `at gamma ${gamma.num}/${gamma.den}`;
  const seen = `training rounds sum ${groups} groups of ${subCohort} sites or more, drawn anew in every round; coordinator and sites see the sum of each group, not one sum of all`;
  if (combination.rule === 'mean')
    return [seen, 'the sums are added up: one poisoned site can own the model'];
  const poisoned = toleratedGroups(combination, groups);
  return [
    seen,
    `the ${combination.rule} of their means makes the model: it withstands ${poisoned} poisoned of ${groups} groups, and not what lies within the honest ones; smaller groups ${colluders} withstand fewer sites that collude with the coordinator`,
  ];
}
