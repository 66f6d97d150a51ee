import { equalBytes } from '../crypto/index.js';
import { RegulonError, type ErrorCode } from '../errors/index.js';
import { encodeManifest, type Manifest, type SiteId } from './manifest.js';
import { wrongMechanism } from './ring-noise.js';
import { ringBoundsHold } from './ring-bounds.js';
import type { RosterView } from './roster.js';
import { thresholds, type Thresholds } from './thresholds.js';

/** Thresholds of an attempt once |U1| is known. @throws E_POLICY */
export function thresholdsOf(manifest: Manifest, roster: RosterView, n: number): Thresholds {
  const { N, gammaNum, gammaDen, quorumRule } = manifest;
  return thresholds({ N, M: roster.M, n, gammaNum, gammaDen, strict: quorumRule === 0 });
}

/** Least |U1|: the larger of nMin and the quorum, and two groups where there are sub-cohorts. */
export function cohortMinimum(manifest: Manifest, { quorum }: Pick<Thresholds, 'quorum'>): number {
  return Math.max(manifest.nMin, quorum, 2 * manifest.subCohort);
}

/**
 * Least |U2| of a group: uMin, as the quorum was reached by U1; without sub-cohorts the same as for U1.
 *
 * @param limits thresholds of the group
 */
export function dealersMinimum(manifest: Manifest, limits: Thresholds): number {
  return manifest.subCohort === 0 ? cohortMinimum(manifest, limits) : limits.uMin;
}

/** What is wrong with the sub-cohorts of a manifest, or undefined. @see secagg.md §4, sub-cohort mode */
function wrongSubCohorts({ subCohort, nMin, N, purpose }: Manifest, { c }: Thresholds): string | undefined {
  if (subCohort === 0) return undefined;
  if (purpose !== 0) return 'only training has sub-cohorts';
  const least = Math.max(nMin, c + 4);
  if (subCohort < least) return `sub-cohorts of ${subCohort} sites are below ${least}`;
  return N < 2 * subCohort ? `${N} sites are not two sub-cohorts of ${subCohort}` : undefined;
}

/** Sites whose role is contributor, less those that the caller does not count. */
export function contributorsOf(manifest: Manifest, uncounted: ReadonlySet<SiteId> = new Set()): Set<SiteId> {
  return new Set(
    manifest.roles.filter(({ id, role }) => role === 0 && !uncounted.has(id)).map(({ id }) => id),
  );
}

/**
 * Refuse a manifest that no version-1 site may join, whatever its plan.
 *
 * @throws E_ROSTER if it names another roster or federation, or a site outside the roster
 * @throws E_POLICY if version, sizes, thresholds or modes are not supported
 * @throws E_RING_BOUND if the honest sum of N sites could wrap
 */
export function checkManifest(manifest: Manifest, roster: RosterView): void {
  const refuse = (code: ErrorCode, why: string): never => {
    throw new RegulonError(
      code,
      `the manifest of round ${manifest.round}, attempt ${manifest.attempt}: ${why}`,
    );
  };
  if (manifest.federationId !== roster.federationId) refuse('E_ROSTER', 'it names another federation');
  if (!equalBytes(manifest.rosterHash, roster.rosterHash)) refuse('E_ROSTER', 'it names another roster');
  const ids = manifest.roles.map(({ id }) => id);
  const members = new Set(roster.members.map(({ id }) => id));
  const stranger = ids.find((id) => !members.has(id));
  if (stranger !== undefined) refuse('E_ROSTER', `site ${stranger} is not in the roster`);
  if (new Set(ids).size !== ids.length || ids.length !== manifest.N)
    refuse('E_POLICY', 'roles must name the N sites once');
  if (manifest.quorumRule !== roster.quorumRule)
    refuse('E_POLICY', 'its quorum rule is not the one of the roster');
  if (manifest.nMin < 3) refuse('E_POLICY', 'nMin is below 3');
  if (manifest.prg !== 0) refuse('E_POLICY', 'ChaCha20 is not supported');
  const wrong =
    wrongMechanism(manifest) ?? wrongSubCohorts(manifest, thresholdsOf(manifest, roster, manifest.N));
  if (wrong !== undefined) refuse('E_POLICY', wrong);
  ringBoundsHold(manifest, roster);
}

/** What a site knows from its own records and from the approved plan. */
export interface ManifestExpectation {
  /** fields that the plan and the closed rounds imply; absent ones are not compared */
  readonly fields: Partial<Omit<Manifest, 'attempt' | 'deadlines'>>;
  /** last round of this run that this site answered */
  readonly lastAnswered?: number;
  /** last attempt of this run in which this site signed R1 */
  readonly lastJoined?: { readonly round: number; readonly attempt: number };
}

const codeOf: Partial<Record<keyof Manifest, ErrorCode>> = {
  rosterHash: 'E_ROSTER',
  federationId: 'E_ROSTER',
  modelHash: 'E_MODEL',
  prevTranscriptHash: 'E_FORK',
};

/**
 * Compare a manifest with what the site derived itself: nothing in it is the coordinator's choice.
 *
 * @throws E_REPLAY if the round was answered, or the attempt joined, before
 * @throws E_ROSTER, E_MODEL, E_FORK or E_POLICY naming the field that differs
 */
export function checkExpectation(manifest: Manifest, expectation: ManifestExpectation): void {
  const { lastAnswered, lastJoined } = expectation;
  const { round, attempt } = manifest;
  const joined =
    lastJoined && (round < lastJoined.round || (round === lastJoined.round && attempt <= lastJoined.attempt));
  if (joined || (lastAnswered !== undefined && round <= lastAnswered)) {
    throw new RegulonError(
      'E_REPLAY',
      `round ${round}, attempt ${attempt} is not newer than what this site took part in`,
    );
  }
  for (const name of Object.keys(expectation.fields) as (keyof ManifestExpectation['fields'])[]) {
    const changed = { ...manifest, [name]: expectation.fields[name] };
    if (equalBytes(encodeManifest(changed), encodeManifest(manifest))) continue;
    throw new RegulonError(
      codeOf[name] ?? 'E_POLICY',
      `round ${round}: the manifest's ${name} is not what the plan implies`,
    );
  }
}

/**
 * The cohort rule: a new set of contributors must equal, or be disjoint from, every stored one.
 *
 * @param current U3 ∩ contributors
 * @param stored earlier sets that the rule compares with (the caller knows which, and who is exempt)
 * @throws E_U3 if two sets overlap without being equal
 */
export function checkCohortRule(current: Iterable<SiteId>, stored: Iterable<Iterable<SiteId>>): void {
  const now = new Set(current);
  for (const earlier of stored) {
    const before = [...earlier];
    const common = before.filter((id) => now.has(id)).length;
    if (common === 0 || (common === now.size && before.length === now.size)) continue;
    throw new RegulonError(
      'E_U3',
      'the survivors overlap with an earlier released set without being the same',
    );
  }
}
