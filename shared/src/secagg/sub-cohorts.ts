import { hex, sha256, u32 } from '../crypto/index.js';
import { idList, tagHash } from './hashing.js';
import type { Manifest, SiteId } from './manifest.js';
import type { AdvertiseKeys } from './messages.js';
import { byId, hashOfKeys } from './transcript.js';

/** Sites that have a sum of their own, in R1 to R4: a group of U1, or all of U1 without sub-cohorts. */
export interface SubCohort {
  /** place among the groups of the attempt, from 0 */
  readonly index: number;
  /** R0 messages of its sites, sorted by id */
  readonly keys: readonly AdvertiseKeys[];
  /** what the messages of its sites are tied to, 32 bytes */
  readonly h1: Uint8Array;
}

/**
 * The groups of an attempt; everybody computes them, nobody chooses them.
 *
 * With sub-cohorts of g sites, U1 is ranked by SHA-256(h1 ‖ u32 id) and cut into ⌊n/g⌋ groups; the remainder joins the
 * last one.
 *
 * @param keys U1, sorted by id
 * @returns one group with all of U1 when the manifest has no sub-cohorts
 */
export function subCohortsOf(
  { subCohort: size }: Pick<Manifest, 'subCohort'>,
  ctx: Uint8Array,
  keys: readonly AdvertiseKeys[],
): SubCohort[] {
  const h1 = hashOfKeys(ctx, keys);
  if (size === 0) return [{ index: 0, keys, h1 }];
  const ranked = keys
    .map((entry) => ({ entry, place: hex(sha256(h1, u32(entry.id))) }))
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ entry }) => entry);
  const count = Math.max(1, Math.floor(ranked.length / size));
  return Array.from({ length: count }, (_, index) => {
    const group = byId(ranked.slice(index * size, index === count - 1 ? undefined : (index + 1) * size));
    const ids = group.map(({ id }) => id);
    return { index, keys: group, h1: hashOfGroup(h1, index, ids) };
  });
}

/** h1 of a group. @param h1 of all of U1 @param index place of the group, from 0 @param ids its sites, sorted */
export function hashOfGroup(h1: Uint8Array, index: number, ids: readonly SiteId[]): Uint8Array {
  return tagHash('SUB', h1, u32(index), ...idList(ids));
}

/** The group of one site. @returns undefined when the site is not in U1 */
export function subCohortOf(groups: readonly SubCohort[], site: SiteId): SubCohort | undefined {
  return groups.find(({ keys }) => keys.some(({ id }) => id === site));
}

/**
 * One hash for all groups, in their order: h2, h3 and aggRoot of an attempt as its transcript covers them.
 *
 * @param hashes 32 bytes each
 * @returns the hash itself when there are no sub-cohorts
 */
export function hashOverGroups(
  { subCohort }: Pick<Manifest, 'subCohort'>,
  ctx: Uint8Array,
  hashes: readonly Uint8Array[],
): Uint8Array {
  const [first = new Uint8Array(32)] = hashes;
  return subCohort === 0 ? first : tagHash('GROUPS', ctx, u32(hashes.length), ...hashes);
}
