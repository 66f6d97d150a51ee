import { liftObjection } from '@regulon/client/consent';
import type { StewardStatements } from '@regulon/client/rounds';
import { canonicalJson } from '@regulon/shared/crypto';
import { type BodyOf, type NamedSeed } from '@regulon/shared/transparency';
import { digestOfBody } from './approval.js';
import { termsLine } from './data-use.js';
import { ofKind } from './read-log.js';
import { reviewersOf, verifyPersons, verifyReviewers } from './second-person.js';
import type { SiteLink } from './site-link.js';
import type { StewardBook } from './steward-book.js';

/** What a steward reads before policy and dataset are stated, from the statements that are signed. */
export function policyLines({ policy, dataset, policyAttachment }: StewardStatements): string[] {
  const text = Buffer.from(policyAttachment, 'base64').toString('utf8');
  const openness = dataset.public ? 'PUBLIC' : dataset.simulated ? 'SIMULATED' : 'not public';
  return [
    'policy',
    `  ${text}`,
    `  digest ${policy.policy.digest}`,
    'dataset',
    `  ${dataset.dataset} version ${dataset.version}, ${dataset.band} ${dataset.unit}s, ${dataset.panel.size} features, ${openness}`,
    `  ${termsLine(dataset)}`,
    `  commitment ${dataset.commitment}`,
    `digest  ${digestOfBody({ policy, dataset })}`,
  ];
}

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
function isOtherData({ log, config }: SiteLink, { dataset, commitment }: BodyOf<'dataset.commit'>): boolean {
  const own = ofKind(log, 'dataset.commit').filter(({ entry }) => entry.actor.id === config.site);
  const last = own.filter(({ entry }) => entry.body.dataset === dataset).at(-1);
  return last !== undefined && last.entry.body.commitment !== commitment;
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
