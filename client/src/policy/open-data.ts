import { RegulonError } from '@regulon/shared/errors';
import type { BodyOf } from '@regulon/shared/transparency';
import type { SiteView } from './site-view.js';

/** Rules without which data of patients are not protected, and which this version does not have (SECURITY.md). */
export const missingRules: readonly string[] = [
  'differential privacy with 3 or 4 sites',
  'minimum counts without sites whose data are public',
  'unit sets that differ by 1 to 4 units',
  'a minimum of units in an evaluation',
];

const hint =
  'declare the dataset public or simulated if it is; other data wait until these rules exist (SECURITY.md)';

/** Whether nobody has to be protected from what is said about these data. */
export function isOpen(dataset: Pick<BodyOf<'dataset.commit'>, 'public' | 'simulated'>): boolean {
  return dataset.public || dataset.simulated;
}

/**
 * Data that somebody has to protect are refused until the missing rules exist, and wherever nobody but the coordinator
 * says what the log is.
 *
 * @throws E_POLICY when this site's data are neither public nor simulated
 */
export function verifyDataOpen({ roster, dataset }: SiteView): void {
  if (isOpen(dataset)) return;
  const signed = roster.policy.gateMode === 'signed' ? ['a roster with gateMode: signed'] : [];
  throw new RegulonError(
    'E_POLICY',
    `dataset ${dataset.name} is neither public nor simulated, and this version has no rules yet for: ${[...signed, ...missingRules].join('; ')}`,
    { hint },
  );
}

/**
 * No run over data of patients until the missing rules exist.
 *
 * @param plan name of the plan
 * @param datasets what the steward of each site committed to
 * @throws E_POLICY naming the sites whose data are neither public nor simulated, and the missing rules
 */
export function verifyRunOpen(
  plan: string,
  datasets: readonly { readonly site: string; readonly body: BodyOf<'dataset.commit'> }[],
): void {
  const closed = datasets.filter(({ body }) => !isOpen(body)).map(({ site }) => site);
  if (closed.length === 0) return;
  throw new RegulonError(
    'E_POLICY',
    `plan ${plan}: the data of ${closed.join(', ')} are neither public nor simulated, and this version has no rules yet for: ${missingRules.join('; ')}`,
    { hint },
  );
}
