import type { Subject } from '@regulon/client/consent';
import { RegulonError } from '@regulon/shared/errors';
import type { BodyOf } from '@regulon/shared/transparency';
import type { Statement } from '../enrolment/index.js';
import { ofKind } from './read-log.js';
import { findProposal, type InboxLog, lastApproval, withdrawalsIn } from './inbox.js';

/** Why a steward takes something back, as it stands in the log: no word of a patient or a person. */
export const WITHDRAWAL_REASONS = [
  ...(['consent', 'ethics', 'purpose', 'privacy', 'quality', 'security', 'legal', 'other'] as const),
];

const KIND_OF = { rejected: 'plan.reject', withdrawn: 'plan.withdraw' } as const;

/** What a steward is about to sign, and how it reads. */
export interface DueWithdrawal {
  readonly statement: Extract<Statement, { kind: 'dataset.withdraw' | 'plan.reject' | 'plan.withdraw' }>;
  /** what the site's own daemon refuses from now on */
  readonly subject: Subject;
  readonly lines: readonly string[];
  /** index of the entry by which the log says so already */
  readonly logged?: number;
}

/**
 * A steward says no to a plan, or takes an approval back.
 *
 * @param named name of the plan, or a beginning of its digest
 * @returns with `logged` when the last word on it was this one
 * @throws E_NOT_FOUND when no plan fits
 */
export async function refusePlan(site: InboxLog, named: string, reason: string): Promise<DueWithdrawal> {
  const { body } = (await findProposal(site, named)).logged.entry;
  const { name, planHash } = body;
  const before = withdrawalsIn(site).refusalOf(site.own.name, planHash);
  const isApproved = lastApproval(site, planHash) !== undefined;
  const kind = before ? KIND_OF[before] : isApproved ? 'plan.withdraw' : 'plan.reject';
  const effect = isApproved
    ? 'a run of it that is under way ends, and no later one uses the data of this site; what was summed stays in the sums'
    : 'no run of it uses the data of this site';
  const lines = [
    `${isApproved ? 'withdraw the approval of' : 'reject'} plan ${name}, ${planHash}`,
    `reason: ${reason}`,
    `effect: ${effect}`,
  ];
  const logged = before && lastOf(site, kind, (said) => said.planHash === planHash);
  return {
    ...{ statement: { kind, body: { planHash, reason } }, subject: { planHash }, lines },
    ...(logged === undefined ? {} : { logged }),
  };
}

/**
 * As `refusePlan` and `withdrawDataset`, while the log cannot be read: what stops the daemon needs no log.
 *
 * @param planHash digest text
 */
export function refuseUnread(planHash: string, reason: string): DueWithdrawal {
  return {
    ...{ statement: { kind: 'plan.withdraw', body: { planHash, reason } }, subject: { planHash } },
    lines: [`stop plan ${planHash} at this site`, `reason: ${reason}`],
  };
}

/** As `withdrawDataset`, while the log cannot be read. */
export function withdrawUnread(dataset: string, scope: 'all' | 'commitment', reason: string): DueWithdrawal {
  return {
    statement: { kind: 'dataset.withdraw', body: { dataset, scope, reason } },
    subject: { dataset, scope },
    lines: [`stop the use of dataset ${dataset} at this site`, `reason: ${reason}`],
  };
}

/**
 * A steward takes a dataset back.
 *
 * @param scope `commitment`: until the site commits to another version; `all`: for good
 * @returns with `logged` when it is withdrawn already
 * @throws E_NOT_FOUND when this site has committed to no such dataset
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
  const isSaid = taken.isGone(name, dataset) || (scope === 'commitment' && taken.isWithdrawn(name, dataset));
  const logged = isSaid ? lastOf(site, 'dataset.withdraw', (said) => said.dataset === dataset) : undefined;
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
  return {
    statement: { kind: 'dataset.withdraw', body: { dataset, scope, reason } },
    ...{ subject: { dataset, scope }, lines },
    ...(logged === undefined ? {} : { logged }),
  };
}

/** Where this site's steward last said such a thing. */
function lastOf<K extends DueWithdrawal['statement']['kind']>(
  site: InboxLog,
  kind: K,
  fits: (body: BodyOf<K>) => boolean,
): number | undefined {
  const own = ofKind(site.log, kind).filter(({ entry }) => entry.actor.id === site.own.name);
  return own.filter(({ entry }) => fits(entry.body as BodyOf<K>)).at(-1)?.index;
}

/** Whether this site approved a plan for a dataset. */
function usesOf(site: InboxLog, planHash: string, dataset: string): boolean {
  return lastApproval(site, planHash)?.dataset === dataset;
}
