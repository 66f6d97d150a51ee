import { RegulonError } from '@regulon/shared/errors';
import type { Statement } from '../enrolment/index.js';
import { ofKind } from './read-log.js';
import { findProposal, type InboxLog, lastApproval, withdrawalsIn } from './inbox.js';

/** Why a steward takes something back, as it stands in the log: no word of a patient or a person. */
export const WITHDRAWAL_REASONS = [
  ...(['consent', 'ethics', 'purpose', 'privacy', 'quality', 'security', 'legal', 'other'] as const),
];

/** What a steward is about to sign, and how it reads. */
export interface DueWithdrawal {
  readonly statement: Extract<Statement, { kind: 'dataset.withdraw' | 'plan.reject' | 'plan.withdraw' }>;
  readonly lines: readonly string[];
}

/**
 * A steward says no to a plan, or takes an approval back.
 *
 * @param named name of the plan, or a beginning of its digest
 * @throws E_NOT_FOUND when no plan fits; E_ARGUMENT when the last word on it was this one
 */
export async function refusePlan(site: InboxLog, named: string, reason: string): Promise<DueWithdrawal> {
  const { body } = (await findProposal(site, named)).logged.entry;
  const { name, planHash } = body;
  const before = withdrawalsIn(site).refusalOf(site.own.name, planHash);
  if (before !== undefined)
    throw new RegulonError('E_ARGUMENT', `${name}: this site has ${before} it already`);
  const isApproved = lastApproval(site, planHash) !== undefined;
  const kind = isApproved ? ('plan.withdraw' as const) : ('plan.reject' as const);
  const effect = isApproved
    ? 'a run of it that is under way ends, and no later one uses the data of this site; what was summed stays in the sums'
    : 'no run of it uses the data of this site';
  const lines = [
    `${isApproved ? 'withdraw the approval of' : 'reject'} plan ${name}, ${planHash}`,
    `reason: ${reason}`,
    `effect: ${effect}`,
  ];
  return { statement: { kind, body: { planHash, reason } }, lines };
}

/**
 * A steward takes a dataset back.
 *
 * @param scope `commitment`: until the site commits to another version; `all`: for good
 * @throws E_NOT_FOUND when this site has committed to no such dataset; E_ARGUMENT when it is withdrawn already
 */
export function withdrawDataset(
  site: InboxLog,
  dataset: string,
  scope: 'all' | 'commitment',
  reason: string,
): DueWithdrawal {
  const { name } = site.own;
  const own = ofKind(site.log, 'dataset.commit').filter(({ entry }) => entry.actor.id === name);
  if (!own.some(({ entry }) => entry.body.dataset === dataset))
    throw new RegulonError('E_NOT_FOUND', `${name} has committed to no dataset ${dataset}`);
  const taken = withdrawalsIn(site);
  if (taken.isGone(name, dataset) || (scope === 'commitment' && taken.isWithdrawn(name, dataset)))
    throw new RegulonError('E_ARGUMENT', `dataset ${dataset} of ${name} is withdrawn already`);
  const until = scope === 'all' ? 'for good' : 'until this site commits to another version of it';
  const models = ofKind(site.log, 'run.start').filter(({ entry }) =>
    usesOf(site, entry.body.planHash, dataset),
  );
  const lines = [
    `withdraw dataset ${dataset} of ${name}, ${until}`,
    `reason: ${reason}`,
    'effect: runs under way that use it end, and no later one begins; models that were trained with it stay as they are:',
    ...(models.length === 0 ? ['  none'] : models.map(({ entry }) => `  ${entry.run}`)),
  ];
  return { statement: { kind: 'dataset.withdraw', body: { dataset, scope, reason } }, lines };
}

/** Whether this site approved a plan for a dataset. */
function usesOf(site: InboxLog, planHash: string, dataset: string): boolean {
  return lastApproval(site, planHash)?.dataset === dataset;
}
