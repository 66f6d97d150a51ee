import { type BodyOf, formatVkey, KeyType, parseEntry, verifierKeyOf } from '../transparency/index.js';
import type { SampleLog } from './sample-log.js';

type Grant = BodyOf<'role.grant'>;

/** Key of a person of the sample federation, as a verifier key. */
export const personKey = (log: SampleLog, role: Grant['role'], subject: string): string =>
  formatVkey(verifierKeyOf(log.federation.signer(role, subject), KeyType.statement));

/**
 * The steward of site-1 and the coordinator give a person a role.
 *
 * @param change what the entry says otherwise
 * @param isCountersigned false: the coordinator has not signed
 * @returns its index
 */
export function writeGrant(
  log: SampleLog,
  subject: string,
  change: Partial<Grant> = {},
  isCountersigned = true,
): number {
  const role = change.role ?? 'researcher';
  const key = personKey(log, role, subject);
  const body = { role, subject, key, issuer: 'site-1', validUntil: '2027-01-01T00:00:00.000Z', ...change };
  const others = isCountersigned ? [log.federation.signer('coordinator', 'coordinator')] : [];
  return log.write(['steward', 'site-1'], 'role.grant', {}, body, others);
}

/** The steward of site-2 and the coordinator take a role away. @returns its index */
export function writeRevoke(log: SampleLog, subject: string, role: Grant['role'] = 'researcher'): number {
  const body = { role, subject, key: personKey(log, role, subject), reason: 'left' };
  const others = [log.federation.signer('coordinator', 'coordinator')];
  return log.write(['steward', 'site-2'], 'role.revoke', {}, body, others);
}

/** A researcher proposes the plan of the sample run once more. @returns the index of the entry */
export function writeProposal(log: SampleLog, researcher: string): number {
  const first = log.entries.map(parseEntry).find((entry) => entry.kind === 'plan.propose');
  if (first?.kind !== 'plan.propose') throw new TypeError('the log has no proposal');
  return log.write(['researcher', researcher], 'plan.propose', {}, first.body);
}
