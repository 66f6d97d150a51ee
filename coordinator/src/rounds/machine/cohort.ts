import { thinBlock, type ThinBlock } from '@regulon/shared/program';
import { thresholds, type Thresholds } from '@regulon/shared/secagg';
import type { RoundRules, RoundState } from './state.js';

/** Uploads of a site that may break a rule before the attempt goes on without it. */
const MAX_STRIKES = 3;

/** Thresholds for |U1| = n. */
function thresholdsFor(rules: RoundRules, n: number): Thresholds {
  const { M, gammaNum, gammaDen, strict } = rules;
  return thresholds({ N: rules.sites.length, M, n: Math.max(1, n), gammaNum, gammaDen, strict });
}

/**
 * Whether a set of sites may become U1, U2 or U3.
 *
 * U1 and U2 reach max(nMin, quorum); in every set the contributors, and the owners of each block that only some sites
 * train, reach uMin, so that no later stage is hopeless.
 *
 * @param n |U1|; of the set itself when it is to become U1
 * @see rounds.md §1, secagg.md §4
 */
export function isEnough(
  rules: RoundRules,
  set: 'u1' | 'u2' | 'u3',
  members: readonly number[],
  n: number,
): boolean {
  if (rules.subCohort > 0 && set !== 'u1') return areEnough(rules, members);
  const { quorum, uMin } = thresholdsFor(rules, n);
  const smallest = Math.max(uMin, rules.minSurvivors);
  const cohort =
    set === 'u3' ? smallest : Math.max(rules.nMin, quorum, smallest, rules.leastGroups * rules.subCohort);
  const counted = rules.counted.filter((id) => members.includes(id)).length;
  const complete = !rules.fullCohort || rules.contributors.every((id) => members.includes(id));
  return complete && members.length >= cohort && counted >= smallest && !thinBlockOf(rules, members, n);
}

/** The first block that a sum over these sites would cover with too few owners. @param n |U1| */
export function thinBlockOf(
  rules: RoundRules,
  members: readonly number[],
  n: number,
): (ThinBlock & { readonly least: number }) | undefined {
  const least = Math.max(thresholdsFor(rules, n).uMin, rules.minSurvivors);
  const counted = rules.counted.filter((id) => members.includes(id));
  const thin = thinBlock(rules.blocks, counted, least);
  return thin && { ...thin, least };
}

/** Every group reaches its own uMin: one that does not ends the attempt of all. */
function areEnough({ groups, ...rules }: RoundRules, members: readonly number[]): boolean {
  const reaches = (group: readonly number[]): boolean => {
    const { uMin } = thresholdsFor({ ...rules, groups }, group.length);
    const left = group.filter((id) => members.includes(id));
    return left.length >= uMin && left.filter((id) => rules.counted.includes(id)).length >= uMin;
  };
  return groups !== null && groups.every(reaches);
}

/** Whether these members of U2 are enough for R3 and R4: t of every group. */
export function areThreshold(rules: RoundRules, u1: readonly number[], members: readonly number[]): boolean {
  return (rules.groups ?? [u1]).every((group) => {
    const { t } = thresholdsFor(rules, group.length);
    return group.filter((id) => members.includes(id)).length >= t;
  });
}

/**
 * Sites that are not invited: of each dispute about a share, first whoever is in two disputes, else the accused.
 *
 * @see secagg.md §5, R2
 */
function excludedBy(disputes: RoundState['disputes']): number[] {
  const count = (id: number): number => disputes.filter((pair) => pair.includes(id)).length;
  const excluded = disputes.map(([complainant, accused]) =>
    count(complainant) > count(accused) ? complainant : accused,
  );
  return [...new Set(excluded)];
}

/** Sites that may take part in the attempt at hand or the next one. */
export function invited(rules: RoundRules, state: RoundState): number[] {
  const { burnt } = state;
  const out = new Set([
    ...excludedBy(state.disputes),
    ...(burnt && burnt.dealer !== null ? [burnt.dealer] : []),
    ...state.refusals.filter((r) => r.lasting).map((r) => r.site),
  ]);
  return rules.sites.filter((id) => !out.has(id));
}

/** The rules of the attempt at hand: after a Reopen everybody that it names contributes, and nobody else. */
export function rulesNow(rules: RoundRules, state: RoundState): RoundRules {
  if (!state.isReopened || !state.burnt) return rules;
  const { contributors } = state.burnt;
  const counted = rules.counted.filter((id) => contributors.includes(id));
  return { ...rules, contributors, counted, fullCohort: true };
}

/** Members of U2 whose uploads are taken. */
export function uploaders(rules: RoundRules, state: RoundState): number[] {
  const now = rulesNow(rules, state);
  return state.u2.filter((id) => now.contributors.includes(id) || !rules.contributors.includes(id));
}

/** Whether the attempt goes on without the upload of a site: too many of its uploads broke a rule. @see transport.md §6 */
export function isStruckOut({ strikes }: Pick<RoundState, 'strikes'>, site: number): boolean {
  return strikes.filter((id) => id === site).length >= MAX_STRIKES;
}

/** Whether the upload of a site of U2 is taken: not after three strikes, and after a Reopen only of its contributors. */
export function mayUpload(rules: RoundRules, state: RoundState, site: number): boolean {
  return uploaders(rules, state).includes(site) && !isStruckOut(state, site);
}

/** Sorted union without duplicates. */
export function withSite(ids: readonly number[], site: number): number[] {
  return [...new Set([...ids, site])].sort((a, b) => a - b);
}

/** Without one of them. */
export const without = (ids: readonly number[], site: number): number[] => ids.filter((id) => id !== site);
