import { openSiteData } from '@regulon/client/datasets';
import { siteBudgetOf } from '@regulon/client/privacy';
import { isRegulonError, RegulonError } from '@regulon/shared/errors';
import { endOfUse, type Plan, planOfBytes } from '@regulon/shared/plan';
import type { BodyOf } from '@regulon/shared/transparency';
import { approvalBody } from './approval.js';
import { outsideUse } from './data-use.js';
import { lastApproval, type Proposed } from './inbox.js';
import { ofKind } from './read-log.js';
import type { RequestFacts } from './request-lines.js';
import { grantingSite } from './roles.js';
import type { SiteLink } from './site-link.js';

/**
 * Everything that a steward reads about a proposal, and the statement that an approval signs.
 *
 * The files are read: how many units they hold exactly is for this site's eyes.
 * @throws E_POLICY when this steward has set no policy or committed to no such dataset
 */
export async function requestFacts(
  site: SiteLink,
  proposed: Proposed,
  until: Date,
  conditions: readonly string[] = [],
): Promise<RequestFacts> {
  const units = await unitsOf(site);
  const { planHash } = proposed.logged.entry.body;
  const policy = ownLast(site, 'policy.set', () => true);
  const commit = ownLast(site, 'dataset.commit', ({ dataset }) => dataset === proposed.plan.dataset.name);
  const limits = [endOfUse([...policy.dataUse, ...commit.dataUse]) ?? [], policy.validUntil ?? []].flat();
  const end = new Date(Math.min(until.getTime(), ...limits.map((limit) => Date.parse(limit))));
  const body = approvalBody({ planHash, policy: policy.policy.digest, dataset: commit, conditions }, end);
  const { code } = proposed.logged.entry.body;
  const terms = { plan: proposed.plan, planHash, code, policy, commit };
  const members = site.federation.roster.members.length;
  return {
    ...proposed,
    body,
    commit,
    policy,
    outside: outsideUse(site, terms, Date.now()),
    units,
    members,
    budget: budgetOf(site),
    knownTo: grantingSite(site.log, proposed.logged.entry.actor.key),
    before: await planBefore(site, proposed),
  };
}

/** Exact number of units in the dataset of the configuration, from its files. */
async function unitsOf({ config }: SiteLink): Promise<number> {
  const data = openSiteData(config.dataset);
  try {
    return (await data.describe()).units;
  } finally {
    await data.release();
  }
}

function ownLast<K extends 'policy.set' | 'dataset.commit'>(
  site: SiteLink,
  kind: K,
  fits: (body: BodyOf<K>) => boolean,
): BodyOf<K> {
  const own = ofKind(site.log, kind).filter(({ entry }) => entry.actor.id === site.config.site);
  const bodies = own.map(({ entry }) => entry.body as BodyOf<K>).filter(fits);
  const last = bodies.at(-1);
  if (last) return last;
  throw new RegulonError('E_POLICY', `the log has no ${kind} of ${site.config.site} for this plan`, {
    hint: '`regulon site policy set` states policy and dataset; then approve',
  });
}

/** A site that has released nothing yet has no ledger. */
function budgetOf({ config }: SiteLink): RequestFacts['budget'] {
  try {
    return siteBudgetOf(config);
  } catch (error) {
    if (isRegulonError(error, 'E_NOT_FOUND')) return null;
    throw error;
  }
}

/** The plan of this name that this site approved last, other than the proposed one. */
async function planBefore(site: SiteLink, { logged }: Proposed): Promise<Plan | null> {
  const { name, planHash } = logged.entry.body;
  const before = ofKind(site.log, 'plan.propose')
    .map(({ entry }) => entry.body)
    .filter((body) => body.name === name && body.planHash !== planHash && lastApproval(site, body.planHash))
    .at(-1);
  return before === undefined ? null : planOfBytes(await site.attachment(before.plan.digest));
}
