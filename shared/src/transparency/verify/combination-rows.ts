import { z } from 'zod';
import { combinationOf } from '../../plan/index.js';
import type { ApprovedRun } from './approval-rows.js';
import { partOfPlan } from './attached-plan.js';
import type { VerifyContext } from './context.js';
import type { ClosedRound } from './opened-rounds.js';

/** What of an attached plan says how the groups are combined; its numbers are decimal strings. */
const combiningPlan = z.object({
  secureAggregation: z.object({
    combine: z.enum(['mean', 'median', 'trimmed-mean']).optional(),
    trim: z.string().transform(Number).optional(),
  }),
});

/** Row S1: where the plan compares the groups, every training round has as many as its rule needs to tell one apart. */
export function checkCombination(
  context: VerifyContext,
  rounds: readonly ClosedRound[],
  approved: ApprovedRun | undefined,
): void {
  const plan = approved && partOfPlan(context, approved, combiningPlan);
  if (!plan) return;
  const { rule, leastGroups } = combinationOf(plan);
  for (const { manifest, derived, aggregate } of rounds) {
    const count = derived.groups.length;
    if (manifest.purpose !== 0 || count >= leastGroups) continue;
    const note = `round ${manifest.round}: ${count} groups, and the ${rule} of the plan needs ${leastGroups}`;
    context.findings.fail('S1', note, aggregate.index);
  }
}
