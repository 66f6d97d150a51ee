import { RegulonError } from '@regulon/shared/errors';
import type { BodyOf } from '@regulon/shared/transparency';
import type { SiteView } from './site-view.js';

/** Rules without which data of patients are not protected, and which this version does not have (SECURITY.md). */
export const missingRules: readonly string[] = [
  'cosigned checkpoints',
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
 * What this version can keep of a federation's promises: a gate without cosignatures, before open data.
 *
 * Whatever the roster says, data that somebody has to protect are refused until the missing rules exist.
 *
 * @throws E_POLICY when the roster demands cosigned checkpoints, or this site's data are neither public nor simulated
 */
export function verifyGateModeFits({ roster, dataset }: SiteView): void {
  if (!isOpen(dataset)) {
    throw new RegulonError(
      'E_POLICY',
      `dataset ${dataset.name} is neither public nor simulated, and this version has no rules yet for: ${missingRules.join('; ')}`,
      { hint },
    );
  }
  if (roster.policy.gateMode !== 'signed') {
    throw new RegulonError(
      'E_POLICY',
      `${roster.federationId} demands cosigned checkpoints (gateMode: cosigned), and this version cannot cosign`,
      { hint: 'use a version that cosigns, or let the administrators sign a roster with gateMode: signed' },
    );
  }
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
