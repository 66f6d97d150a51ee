import { RegulonError } from '@regulon/shared/errors';
import type { RunContract } from '@regulon/shared/program';
import type { BodyOf } from '@regulon/shared/transparency';
import type { SiteView } from './site-view.js';

/** Sites below which secure aggregation has no collusion threshold: without noise it protects nobody. */
const FEWEST_SITES = 5;

/** Whether nobody has to be protected from what is said about these data. */
export function isOpen(dataset: Pick<BodyOf<'dataset.commit'>, 'public' | 'simulated'>): boolean {
  return dataset.public || dataset.simulated;
}

/**
 * Data that somebody has to protect are refused wherever nobody but the coordinator says what the log is.
 *
 * @throws E_POLICY when this site's data are neither public nor simulated, and the roster has the gate mode `signed`
 */
export function verifyDataOpen({ roster, dataset }: SiteView): void {
  if (isOpen(dataset) || roster.policy.gateMode === 'cosigned') return;
  throw new RegulonError(
    'E_POLICY',
    `dataset ${dataset.name} is neither public nor simulated, and the roster has gateMode: signed`,
    { hint: 'such data need a federation with gateMode: cosigned (SECURITY.md)' },
  );
}

/**
 * What a run over data of patients needs beyond the rules of every round: all sites count towards the minima, and there are
 * enough of them.
 *
 * @param datasets what the steward of each site committed to
 * @throws E_POLICY naming the sites with open data, or the key of the plan
 */
export function verifyRunOpen(
  { plan, isPublic }: Pick<RunContract, 'plan' | 'isPublic'>,
  datasets: readonly { readonly site: string; readonly body: BodyOf<'dataset.commit'> }[],
): void {
  if (isPublic) return;
  const refuse = (rule: string): never => {
    throw new RegulonError(
      'E_POLICY',
      `plan ${plan.name}: some data are neither public nor simulated: ${rule}`,
      { hint: 'what runs over data of patients need stands in SECURITY.md' },
    );
  };
  const open = datasets.filter(({ body }) => isOpen(body)).map(({ site }) => site);
  if (open.length > 0)
    refuse(`sites: those of ${open.join(', ')} are, so they count towards no minimum: leave these sites out`);
  if (plan.sites.length < FEWEST_SITES)
    refuse(`sites: ${plan.sites.length} are too few without differential privacy, at least ${FEWEST_SITES}`);
}
