import { z } from 'zod';
import type { ApprovedRun } from './approval-rows.js';
import { partOfPlan } from './attached-plan.js';
import type { VerifyContext } from './context.js';
import type { ClosedRound } from './opened-rounds.js';

/** Which sites train each block of the model; absent: all. */
const ownedModel = z.object({
  model: z.object({
    blocks: z.array(z.object({ name: z.string(), owners: z.array(z.string()).optional() })),
  }),
});

/** Row S1: a block that only some sites train is a sum of its own, and covers uMin of its owners in every training round. */
export function checkOwners(
  context: VerifyContext,
  rounds: readonly ClosedRound[],
  approved: ApprovedRun | undefined,
): void {
  const plan = approved && partOfPlan(context, approved, ownedModel);
  if (!plan) return;
  for (const { name, owners } of plan.model.blocks) {
    if (!owners) continue;
    const ids = approved.sites.filter((site) => owners.includes(site.name)).map(({ id }) => id);
    for (const { manifest, derived, aggregate } of rounds) {
      if (manifest.purpose !== 0) continue;
      const { contributing, thresholds } = derived;
      const left = contributing.filter((id) => ids.includes(id)).length;
      if (left >= thresholds.uMin) continue;
      const note = `round ${manifest.round}: block ${name} is summed over ${left} of its owners, below uMin = ${thresholds.uMin}`;
      context.findings.fail('S1', note, aggregate.index);
    }
  }
}
