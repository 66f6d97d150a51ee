import type { BrokenRule } from './model-rules.js';
import type { Plan } from './plan.js';
import { headsWeigh } from './targets.js';

/** How the sums of the groups of a training round become one update, coordinate by coordinate. */
export interface Combination {
  readonly rule: 'mean' | 'median' | 'trimmed-mean';
  /** values left out at either end, of a trimmed mean; else 0 */
  readonly trim: number;
  /** fewest groups that a round may have; 1 of a mean */
  readonly leastGroups: number;
}

/** What of a plan names the rule. */
interface NamedRule {
  readonly secureAggregation: Pick<Plan['secureAggregation'], 'combine' | 'trim'>;
}
type CombiningPlan = Pick<Plan, 'secureAggregation' | 'sites' | 'task' | 'privacy' | 'training'>;

/** The rule of a plan: the mean of all sites where it names none. */
export function combinationOf({ secureAggregation: { combine = 'mean', trim = 1 } }: NamedRule): Combination {
  if (combine === 'mean') return { rule: combine, trim: 0, leastGroups: 1 };
  if (combine === 'median') return { rule: combine, trim: 0, leastGroups: 3 };
  return { rule: combine, trim, leastGroups: 2 * trim + 1 };
}

/** Whether the groups are compared with each other, not added up. */
export const isRobust = (plan: NamedRule): boolean => combinationOf(plan).rule !== 'mean';

/** Poisoned groups that a rule survives with so many groups. @see Yin et al. 2018 (arXiv:1803.01498) */
export function toleratedGroups({ rule, trim }: Combination, groups: number): number {
  if (rule === 'mean') return 0;
  return rule === 'median' ? Math.floor((groups - 1) / 2) : trim;
}

/** Groups of a round in which every site of the plan takes part; 1 without sub-cohorts. */
export function groupsOfPlan({
  sites,
  secureAggregation: { subCohort },
}: Pick<Plan, 'sites' | 'secureAggregation'>): number {
  return subCohort === undefined ? 1 : Math.max(1, Math.floor(sites.length / subCohort));
}

/** Smallest group that γ and nMin allow: c + 4 sites, so that one upload may be lost. */
function smallestGroup({
  sites,
  secureAggregation: { gamma, nMin },
}: Pick<Plan, 'sites' | 'secureAggregation'>): number {
  return Math.max(nMin, Math.floor((gamma.num * sites.length) / gamma.den) + 4);
}

/** Which key does not go with the rule that combines the groups, and why; null = nothing. */
export function combinationRuleBroken(plan: CombiningPlan): BrokenRule | null {
  const { combine, trim, subCohort, gamma } = plan.secureAggregation;
  const path = 'secureAggregation.combine';
  if (trim !== undefined && combine !== 'trimmed-mean')
    return { path: 'secureAggregation.trim', rule: 'only a trimmed-mean leaves values out' };
  const { rule, leastGroups } = combinationOf(plan);
  if (rule === 'mean') return null;
  if (subCohort === undefined) return { path, rule: `${rule} compares groups: it needs subCohort` };
  const { privacy, task, training } = plan;
  if (headsWeigh({ task, privacy, strategy: training.strategy }))
    return { path, rule: 'heads that weigh by their own units have no mean in a group that lacks them' };
  const groups = groupsOfPlan(plan);
  if (groups >= leastGroups) return null;
  const N = plan.sites.length;
  const smallest = smallestGroup(plan);
  const most = Math.floor(N / smallest);
  const advice =
    most >= leastGroups
      ? `make subCohort ${Math.floor(N / leastGroups)} or less`
      : `at gamma ${gamma.num}/${gamma.den} at most ${most} of ${smallest} or more fit: lower gamma in the policy of the roster, or name more sites`;
  return {
    path,
    rule: `${rule} needs ${leastGroups} groups, ${N} sites make ${groups} of ${subCohort}: ${advice}`,
  };
}
