import { liftObjection } from '@regulon/client/consent';
import type { StewardStatements } from '@regulon/client/rounds';
import { canonicalJson } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { type BodyOf, type NamedSeed } from '@regulon/shared/transparency';
import { digestOfBody } from './approval.js';
import { termsLine } from './data-use.js';
import { documentLines } from './document-lines.js';
import { withdrawalsIn } from './inbox.js';
import { DATASET_WORDS, POLICY_WORDS, STATED_POLICY_WORDS } from './policy-words.js';
import { ofKind } from './read-log.js';
import { reviewersOf, statedPolicy, verifyPersons, verifyReviewers } from './second-person.js';
import type { SiteLink } from './site-link.js';
import type { StewardBook } from './steward-book.js';

/** What a steward reads before policy and dataset are stated, from the statements that are signed and nothing else. */
export function policyLines({ policy, dataset, policyAttachment }: StewardStatements): string[] {
  const document = Buffer.from(policyAttachment, 'base64').toString('utf8');
  const openness = dataset.public ? 'PUBLIC' : dataset.simulated ? 'SIMULATED' : 'not public';
  return [
    'policy',
    ...documentLines(JSON.parse(document), POLICY_WORDS).map((line) => `  ${line}`),
    'what the log says of it',
    ...documentLines(policy, STATED_POLICY_WORDS).map((line) => `  ${line}`),
    `dataset, ${openness}`,
    ...documentLines(dataset, DATASET_WORDS).map((line) => `  ${line}`),
    `  ${termsLine(dataset)}`,
    `digest  ${digestOfBody({ policy, dataset })}`,
  ];
}

/**
 * Policy and dataset of this site as the log has them.
 *
 * @throws E_POLICY when its steward has stated none; E_DIGEST when the coordinator shows another document; E_NOT_FOUND when none
 */
export async function statedLines(site: SiteLink): Promise<{ lines: string[]; stated: StewardStatements }> {
  const own = site.log.filter(({ entry }) => entry.actor.id === site.config.site);
  const policy = ofKind(own, 'policy.set').at(-1);
  const { name } = site.config.dataset;
  const dataset = ofKind(own, 'dataset.commit').findLast(({ entry }) => entry.body.dataset === name);
  if (policy === undefined || dataset === undefined)
    throw new RegulonError('E_POLICY', `${site.config.site} has stated no policy over dataset ${name}`, {
      hint: '`regulon site policy set` states both',
    });
  const bytes = await site.attachment(policy.entry.body.policy.digest);
  if (bytes.length === 0)
    throw new RegulonError(
      'E_NOT_FOUND',
      `the coordinator does not show the policy that entry ${policy.index} refers to`,
      {
        hint: '`regulon site policy set --dry-run` shows the file of this site',
      },
    );
  const stated = {
    ...{ policy: policy.entry.body, dataset: dataset.entry.body },
    policyAttachment: Buffer.from(bytes).toString('base64'),
  };
  const since = `stated in entry ${policy.index} at ${policy.entry.at}, the dataset in entry ${dataset.index} at ${dataset.entry.at}`;
  const gone = withdrawalsIn(site).isWithdrawn(site.config.site, name)
    ? [`dataset ${name} is withdrawn`]
    : [];
  return { lines: [since, ...gone, ...policyLines(stated)], stated };
}

/**
 * The statements of a site as they follow on what its log has: the policy names the one whose place it takes, and other
 * data are the next version of the dataset.
 *
 * @throws E_POLICY when the federation keeps its log under no retention class of that name
 */
export function succeeding(site: SiteLink, statements: StewardStatements): StewardStatements {
  const { policy, dataset } = statements;
  const { retentionClass } = policy;
  const classes = site.federation.roster.policy.retention ?? [];
  if (retentionClass !== 'none' && !classes.some((one) => one.class === retentionClass))
    throw new RegulonError('E_POLICY', `the federation has no retention class ${retentionClass}`, {
      hint: `retentionClass of the policy file is one of: ${classes.map((one) => one.class).join(', ') || 'none, leave it out'}`,
    });
  const last = statedPolicy(site);
  const isSame = last !== undefined && canonicalJson({ ...last, supersedes: null }) === canonicalJson(policy);
  return {
    ...statements,
    policy: isSame ? last : { ...policy, supersedes: last?.policy.digest ?? null },
    dataset: asCommitted(site, dataset),
  };
}

/**
 * A dataset as the last commitment to it when nothing else changed, else as its next version. Data that were committed to
 * keep the quality report that they had then: approvals outlast another look at the same data.
 */
function asCommitted(site: SiteLink, dataset: BodyOf<'dataset.commit'>): BodyOf<'dataset.commit'> {
  const last = ownCommits(site, dataset.dataset).at(-1);
  if (last === undefined) return { ...dataset, version: 1 };
  const isSameData = last.commitment === dataset.commitment;
  const next = {
    ...dataset,
    version: last.version,
    ...(isSameData && { qualityReport: last.qualityReport }),
  };
  return canonicalJson(next) === canonicalJson(last) ? last : { ...next, version: last.version + 1 };
}

const ownCommits = ({ log, config }: SiteLink, name: string): BodyOf<'dataset.commit'>[] =>
  ofKind(log, 'dataset.commit')
    .filter(({ entry }) => entry.actor.id === config.site && entry.body.dataset === name)
    .map(({ entry }) => entry.body);

/**
 * Put policy and dataset commitment into the log, if they are not what it says already.
 *
 * @param seconds other persons of the site who sign the policy, too: a policy that asks for several is changed by as many
 * @returns indexes of new entries
 * @throws E_POLICY when the policy in force asks for more persons, or the new one for more than the site has
 */
export async function settlePolicy(
  site: SiteLink,
  book: StewardBook,
  { policy, dataset, policyAttachment }: StewardStatements,
  seconds: readonly NamedSeed[] = [],
): Promise<number[]> {
  const indexes: number[] = [];
  const attachment = Uint8Array.from(Buffer.from(policyAttachment, 'base64'));
  if (!isStated(site, 'policy.set', policy, () => true)) {
    verifyPersons(reviewersOf(site), seconds);
    verifyReviewers(site, policy.reviewersNeeded);
    indexes.push(await book.post(site, { kind: 'policy.set', body: policy }, [attachment], seconds));
  }
  if (isOtherData(site, dataset)) liftObjection(site.config.stateFolder, { dataset: dataset.dataset });
  if (!isStated(site, 'dataset.commit', dataset, (body) => body.dataset === dataset.dataset))
    indexes.push(await book.post(site, { kind: 'dataset.commit', body: dataset }));
  return indexes;
}

/** Whether this site has committed to a dataset of this name before, and to other data. */
function isOtherData(site: SiteLink, { dataset, commitment }: BodyOf<'dataset.commit'>): boolean {
  const last = ownCommits(site, dataset).at(-1);
  return last !== undefined && last.commitment !== commitment;
}

function isStated<K extends 'policy.set' | 'dataset.commit'>(
  { log, config }: SiteLink,
  kind: K,
  body: BodyOf<K>,
  fits: (body: BodyOf<K>) => boolean,
): boolean {
  const own = ofKind(log, kind).filter(({ entry }) => entry.actor.id === config.site);
  const last = own
    .map(({ entry }) => entry.body as BodyOf<K>)
    .filter(fits)
    .at(-1);
  return last !== undefined && canonicalJson(last) === canonicalJson(body);
}
