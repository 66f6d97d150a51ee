import { z } from 'zod';
import { datasetUseFault, dataUseFault, type DeclaredUse, endOfUse } from '../../plan/index.js';
import { partOfPlan } from './attached-plan.js';
import type { VerifyContext } from './context.js';
import { judgeException } from './override-rows.js';
import type { Placed, RunView } from './run-view.js';

// what is no list of texts is declared by nobody: such a plan meets no term
const declared = z.object({
  purpose: z.unknown().optional(),
  dataUse: z.array(z.string()).optional().catch(['']),
});

/** What one site of a run agreed to, and under which terms. */
export interface SiteUse {
  readonly approval: Placed<'plan.approve'>;
  readonly policy: Placed<'policy.set'>;
  /** undefined when row A2 fails for want of it */
  readonly dataset: Placed<'dataset.commit'> | undefined;
}

/** Row A1 of one site: purpose and declared use of the plan are within its policy, or excepted, and within its dataset's terms. */
export function checkUseOfData(
  context: VerifyContext,
  view: RunView,
  start: Placed<'run.start'>,
  proposal: Placed<'plan.propose'>,
  { approval, policy, dataset }: SiteUse,
): void {
  const { findings } = context;
  const name = approval.entry.actor.id;
  const own = view.contributions.filter(({ entry }) => entry.actor.id === name);
  const { purposes, dataUse } = policy.entry.body;
  const { purpose } = proposal.entry.body;
  if (!purposes.includes(purpose)) {
    const note = `the purpose of the plan is outside the policy of ${name}`;
    judgeException(context, start, approval, own, { rule: 'purposes', note });
  }
  const terms = [...dataUse, ...(dataset?.entry.body.dataUse ?? [])];
  const end = endOfUse(terms);
  if (end !== undefined && approval.entry.body.validUntil > end)
    findings.fail('A1', `${name} approved for longer than its data-use terms last`, approval.index);
  const use = declaredUse(context, proposal);
  if (use === undefined) return;
  const outside = dataUseFault(dataUse, use);
  if (outside !== undefined) {
    const note = `the declared use is outside the policy of ${name}: ${outside}`;
    judgeException(context, start, approval, own, { rule: 'dataUse', note });
  }
  const fault = dataset && datasetUseFault(dataset.entry.body, use);
  if (fault !== undefined)
    findings.fail(
      'A1',
      `the declared use is outside the terms of the dataset of ${name}: ${fault}`,
      start.index,
    );
}

/** Row A1 of a proposal: it states the purpose of its plan. */
export function checkPurpose(context: VerifyContext, proposal: Placed<'plan.propose'>): void {
  const { purpose } = partOfPlan(context, { proposal }, declared) ?? {};
  if (purpose !== undefined && purpose !== proposal.entry.body.purpose)
    context.findings.fail('A1', 'the proposal states another purpose than its plan', proposal.index);
}

/** @returns undefined when the plan is not attached: row L5 says so */
function declaredUse(context: VerifyContext, proposal: Placed<'plan.propose'>): DeclaredUse | undefined {
  const part = partOfPlan(context, { proposal }, declared);
  return part && { purpose: proposal.entry.body.purpose, dataUse: part.dataUse };
}
