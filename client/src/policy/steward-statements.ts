import { canonicalJson } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { BodyOf, LogEntry } from '@regulon/shared/transparency';
import type { SiteView } from './site-view.js';

type Entry<K extends LogEntry['kind']> = Extract<LogEntry, { kind: K }>;
type Commit = BodyOf<'dataset.commit'>;

/** What the steward of a site committed to. */
export interface CommittedDataset {
  /** name of the site */
  readonly site: string;
  readonly body: Commit;
}

/** Whether two stewards' statements about a dataset say the same. */
export function isSameCommit(one: Commit, other: Commit): boolean {
  return canonicalJson(one) === canonicalJson(other);
}

/**
 * The one commitment of a site to a dataset. Which is the latest, the log says later; a choice of the coordinator it is
 * not.
 *
 * @throws E_POLICY when there is none, or more than one
 */
export function commitmentOf(entries: readonly LogEntry[], site: string, dataset: string): CommittedDataset {
  const bodies = entries
    .filter((e): e is Entry<'dataset.commit'> => e.kind === 'dataset.commit' && e.actor.id === site)
    .map(({ body }) => body)
    .filter((body) => body.dataset === dataset);
  const [first] = bodies;
  if (!first) throw new RegulonError('E_POLICY', `site ${site} has not committed to dataset ${dataset}`);
  if (bodies.every((body) => isSameCommit(body, first))) return { site, body: first };
  throw new RegulonError(
    'E_POLICY',
    `the run contract holds several versions of dataset ${dataset} of site ${site}`,
  );
}

/**
 * The approval of a plan by the steward of a site, for the very data that the site committed to.
 *
 * @param planHash digest text
 * @param now ms since the epoch
 * @throws E_POLICY when it is missing, has expired, or is for other data
 */
export function approvalOf(
  entries: readonly LogEntry[],
  { site, body }: CommittedDataset,
  planHash: string,
  now: number,
): BodyOf<'plan.approve'> {
  const refuse = (why: string): never => {
    throw new RegulonError('E_POLICY', `the approval of this plan by the steward of ${site} ${why}`);
  };
  const found = entries.filter(
    (e): e is Entry<'plan.approve'> =>
      e.kind === 'plan.approve' && e.actor.id === site && e.body.planHash === planHash,
  );
  if (found.length === 0) return refuse('is missing');
  const valid = found.filter((e) => Date.parse(e.body.validUntil) > now);
  if (valid.length === 0) return refuse('has expired');
  const bound = valid.find(
    ({ body: a }) =>
      a.dataset === body.dataset && a.datasetVersion === body.version && a.commitment === body.commitment,
  );
  return bound ? bound.body : refuse(`is not for version ${body.version} of ${body.dataset} as committed`);
}

/** What a steward's commitment takes over from the data and the configuration of the site. */
const described: readonly (keyof Commit)[] = [
  ...([
    'dataset',
    'commitment',
    'schema',
    'panel',
    'band',
    'unit',
    'dataUse',
    'public',
    'simulated',
  ] as const),
];

/**
 * What the steward of this site signed is what this daemon has: the loaded data, and the policy file.
 *
 * @throws E_POLICY naming what differs
 */
export function verifyOwnStatements(
  commit: Commit,
  approval: BodyOf<'plan.approve'>,
  { own, statement }: SiteView,
): void {
  const hint = 'let the steward sign what `describe` prints now, and approve the plan again';
  const other = described.find(
    (field) => canonicalJson(commit[field]) !== canonicalJson(statement.dataset[field]),
  );
  if (other !== undefined) {
    throw new RegulonError(
      'E_POLICY',
      `the steward of ${own.name} committed to another dataset ${commit.dataset} than the one that is loaded (${other})`,
      { hint },
    );
  }
  if (approval.policy !== statement.policy.policy.digest) {
    throw new RegulonError(
      'E_POLICY',
      `the steward of ${own.name} approved the plan under another policy than the policy file of this daemon`,
      { hint },
    );
  }
}

/**
 * The data that a run will use are those that this daemon described when it started.
 *
 * @param content digest of the data as loaded now
 * @throws E_POLICY when the files were changed since
 */
export function verifySameData(site: SiteView, content: Uint8Array): void {
  if (Buffer.compare(content, site.content) === 0) return;
  throw new RegulonError(
    'E_POLICY',
    `the files of dataset ${site.dataset.name} were changed since this daemon started`,
    { hint: 'let the steward commit to the new version, then restart the daemon' },
  );
}
