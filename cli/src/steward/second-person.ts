import { hex } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import type { BodyOf, NamedSeed } from '@regulon/shared/transparency';
import { Person } from '../enrolment/index.js';
import { ofKind } from './read-log.js';
import type { SiteLink } from './site-link.js';

/**
 * An administrator of the roster who belongs to this site, by the path of the key.
 *
 * @throws E_KEY_FILE when the key cannot be read, or is of no administrator of this site
 */
export function secondPerson(
  { federation: { roster }, own, name }: Pick<SiteLink, 'federation' | 'own' | 'name'>,
  path: string,
): NamedSeed {
  const key = hex(Person.fromKeyFile(path, 'administrator', own.name).publicKey);
  const found = roster.admins.find((admin) => admin.member === own.id && admin.key === key);
  if (!found)
    throw new RegulonError(
      'E_KEY_FILE',
      `--second: the key is of no administrator of ${own.name} in the roster`,
      {
        hint: 'a second person signs with the administrator key that `site join` made, or `site rotate-key` since',
      },
    );
  return Person.fromKeyFile(path, 'administrator', `${own.name}-${found.id}`).named(name.origin);
}

/** The policy that this site's steward stated last; undefined before the first. */
export function statedPolicy({
  log,
  config,
}: Pick<SiteLink, 'log' | 'config'>): BodyOf<'policy.set'> | undefined {
  const own = ofKind(log, 'policy.set').filter(({ entry }) => entry.actor.id === config.site);
  return own.at(-1)?.entry.body;
}

/** Persons who sign under the policy that this site has stated. */
export const reviewersOf = (site: Pick<SiteLink, 'log' | 'config'>): number =>
  Math.max(1, statedPolicy(site)?.reviewersNeeded ?? 1);

/** @throws E_POLICY when fewer persons sign than are needed */
export function verifyPersons(needed: number, seconds: readonly NamedSeed[]): void {
  const persons = 1 + new Set(seconds.map(({ keyName }) => keyName)).size;
  if (persons >= needed) return;
  throw new RegulonError('E_POLICY', `${needed} persons of this site must sign this, ${persons} would`, {
    hint: 'the second person reads the same screen and adds --second with the key of an administrator of this site',
  });
}

/** @throws E_POLICY when a policy asks for more persons than the roster knows of this site */
export function verifyReviewers(
  { federation, own }: Pick<SiteLink, 'federation' | 'own'>,
  needed: number,
): void {
  const persons = 1 + federation.roster.admins.filter(({ member }) => member === own.id).length;
  if (needed <= persons) return;
  throw new RegulonError(
    'E_POLICY',
    `the policy asks for ${needed} persons (reviewersNeeded), the roster knows ${persons} of ${own.name}: nobody could approve anything`,
    { hint: 'a site has its steward and its administrators; lower reviewersNeeded in the policy file' },
  );
}
