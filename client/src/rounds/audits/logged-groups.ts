import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  type ClosedGroup,
  type CohortView,
  hashOfSurvivors,
  type SurvivorEntry,
} from '@regulon/shared/secagg';
import { digestBytes, digestText } from '@regulon/shared/transparency';
import type { AuditedRound, AuditPlace } from './audit-place.js';

/** The sums of the groups of a closed round, as the log has them. */
export interface LoggedGroups {
  /** place of this site's group */
  readonly own: number;
  /** all of them, in their order */
  readonly groups: readonly ClosedGroup[];
  /** of all of U1, 32 bytes; T covers it, and the own group follows from it */
  readonly h1: Uint8Array;
  /** T and Sig_C("CLOSE", T) */
  readonly transcript: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * What the coordinator has logged of the groups, before it knows which tiles this site will ask for: its own group as it
 * saw it, and no others than those of U1. Each group is looked at by its own sites.
 *
 * @param survivors of the own group
 * @returns undefined for a round without sub-cohorts
 * @throws E_DEADLINE while the log has no close of the round
 * @throws E_MODEL when it has other groups, other survivors of the own one, or another sum
 */
export function loggedGroupsOf(
  { site, run }: Pick<AuditPlace, 'site' | 'run'>,
  { round: { round }, own, aggregateRoot }: AuditedRound,
  { manifest, ctx, h2 }: CohortView,
  survivors: readonly SurvivorEntry[],
): LoggedGroups | undefined {
  if (manifest.subCohort === 0) return undefined;
  const refuse = (why: string): never => {
    throw new RegulonError('E_MODEL', `round ${round}: the log ${why}`);
  };
  const logged = site.log.aggregateOf(run, round);
  if (!logged)
    throw new RegulonError('E_DEADLINE', `round ${round}: its close is not in the log yet`, {
      retryable: true,
    });
  const [groups, known] = [logged.groups ?? [], own?.facts.groups ?? []];
  if (!equalBytes(digestBytes(logged.aggregateRoot), aggregateRoot)) refuse('has another sum');
  if (groups.length !== known.length || groups.some(({ sites }, k) => sites.join() !== known[k]?.join()))
    refuse('has other groups than those that follow from U1');
  const index = groups.findIndex(({ sites }) => sites.includes(site.site.own.id));
  const [h2Text, h3Text] = [digestText(h2), digestText(hashOfSurvivors(ctx, h2, survivors))];
  if (groups[index]?.h2 !== h2Text || groups[index].h3 !== h3Text)
    refuse('has other survivors of the group of this site');
  return {
    own: index,
    groups: groups.map(({ sites, h2: h2Of, h3, aggregateRoot: root }) => ({
      ...{ sites, h2: digestBytes(h2Of), h3: digestBytes(h3), aggRoot: digestBytes(root) },
    })),
    h1: digestBytes(logged.h1),
    transcript: digestBytes(logged.transcript),
    signature: Uint8Array.from(Buffer.from(logged.closeSignature, 'base64')),
  };
}
