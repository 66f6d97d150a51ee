import { RegulonError } from '@regulon/shared/errors';
import { endOfPolicy, endOfUse, untilText } from '@regulon/shared/plan';
import {
  type BodyOf,
  type FederationKeys,
  type LogEntry,
  notExcepted,
  type OverrideRule,
  overrideFault,
  personsOf,
} from '@regulon/shared/transparency';
import type { SiteView } from './site-view.js';

/** An exception of a site from a rule of its policy. */
export interface Exception {
  /** name of the site */
  readonly site: string;
  readonly body: BodyOf<'policy.override'>;
}

/**
 * The statements about a run without approvals of this site that fewer persons signed than its policy asks for.
 *
 * @param planHash digest text
 * @param keys in force
 * @throws E_POLICY when there are approvals of this plan by this site, and none was signed by enough of its persons
 */
export function signedByReviewers(
  entries: readonly LogEntry[],
  planHash: string,
  { own, policy: { reviewersNeeded = 1 } }: Pick<SiteView, 'own' | 'policy'>,
  keys: FederationKeys,
): LogEntry[] {
  const isOwn = (entry: LogEntry): boolean =>
    entry.kind === 'plan.approve' && entry.actor.id === own.name && entry.body.planHash === planHash;
  const isShort = (entry: LogEntry): boolean => isOwn(entry) && personsOf(entry, keys) < reviewersNeeded;
  const approvals = entries.filter(isOwn);
  if (approvals.length > 0 && approvals.every(isShort))
    throw new RegulonError(
      'E_POLICY',
      `the policy of ${own.name} asks for the signatures of ${reviewersNeeded} persons under an approval, and this plan has fewer`,
      { hint: '`regulon site approve` again, with --second and the key of an administrator of this site' },
    );
  return entries.filter((entry) => !isShort(entry));
}

/**
 * Exceptions from the policy file of this daemon that two persons of this site signed, for this plan, and that hold; of
 * each rule the one that holds longest.
 *
 * @param planHash digest text
 * @param keys in force: who has left excepts nothing any more
 * @param now ms since the epoch
 */
export function exceptionsOf(
  entries: readonly LogEntry[],
  planHash: string,
  { own, statement }: Pick<SiteView, 'own' | 'statement'>,
  keys: FederationKeys,
  now: number,
): Map<OverrideRule, Exception> {
  const at = new Date(now).toISOString();
  const policy = statement.policy.policy.digest;
  const holding = entries
    .filter((entry): entry is LogEntry<'policy.override'> => entry.kind === 'policy.override')
    .filter((entry) => entry.actor.id === own.name && overrideFault(entry, keys) === undefined)
    .map(({ body }) => body)
    .filter((body) => notExcepted(body, { planHash, policy, rule: body.rule, at }) === undefined)
    .sort((a, b) => (a.expires < b.expires ? -1 : 1));
  return new Map(holding.map((body) => [body.rule, { body, site: own.name }]));
}

/** @throws E_POLICY when an approval would outlast the policy, or the time limit of dataset or policy */
export function verifyTimeLimit(
  approval: BodyOf<'plan.approve'>,
  { own, policy, dataset }: Pick<SiteView, 'own' | 'policy' | 'dataset'>,
): void {
  const ends = [
    [endOfUse([...(policy.dataUse ?? []), ...(dataset.dataUse ?? [])]), 'the data-use terms end'],
    [endOfPolicy(policy), 'the policy ends'],
  ] as const;
  for (const [end, what] of ends) {
    if (end === undefined || approval.validUntil <= end) continue;
    throw new RegulonError(
      'E_POLICY',
      `the approval by the steward of ${own.name} holds until ${untilText(approval.validUntil)}, ${what} at ${untilText(end)}`,
      { hint: '`regulon site approve` again, with --until' },
    );
  }
}

/** What of an agreement ends with a day. */
interface Expiring {
  readonly approval: Pick<BodyOf<'plan.approve'>, 'validUntil'>;
  readonly exceptions: readonly Exception[];
}

/**
 * What a run was agreed on still holds: a run may last longer than its approval.
 *
 * @param now ms since the epoch
 * @throws E_POLICY when the approval of this site, or an exception that the plan needs, has expired
 */
export function verifyUnexpired(run: string, { approval, exceptions }: Expiring, now: number): void {
  const at = new Date(now).toISOString();
  if (approval.validUntil < at)
    throw new RegulonError(
      'E_POLICY',
      `${run}: the approval of this site expired at ${untilText(approval.validUntil)}`,
    );
  const ended = exceptions.find(({ body }) => body.expires < at)?.body;
  if (ended)
    throw new RegulonError(
      'E_POLICY',
      `${run}: the exception from ${ended.rule} expired at ${untilText(ended.expires)}`,
    );
}
