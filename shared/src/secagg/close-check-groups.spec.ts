import { describe, expect, it } from '@jest/globals';
import { randomBytes, u32 } from '../crypto/index.js';
import {
  type AnnouncedClose,
  type ClosedGroup,
  type ShownAnswer,
  verifyGroupedClose,
} from './close-check.js';
import { signTagged } from './hashing.js';
import type { CohortView } from './r3-survivors.js';
import { makeCohort } from './secagg.support.js';
import { runGroupsUntil } from './sub-cohorts.support.js';
import { hashOfAnswer } from './transcript.js';

/** A round of ten sites in two groups, of which one has lost an upload. */
const cohort = makeCohort(10, { gammaNum: 0, subCohort: 5, d: 9 });
const { server, clients } = runGroupsUntil(cohort, 'r4');
const { ctx, manifest, h1 } = server;
const OWN = 1;
const ownGroup = server.groups[OWN] as (typeof server.groups)[number];
const other = server.groups[0] as typeof ownGroup;
const self = ownGroup.u1[0] as number;
const roots = { aggRoot: randomBytes(32), modelHash: randomBytes(32) };
const groups: ClosedGroup[] = server.groups.map(({ u1, h2, h3 }) => ({
  ...{ sites: u1, h2, h3, aggRoot: randomBytes(32) },
}));
const view: CohortView = {
  ...{ manifest, roster: cohort.roster, ctx, h2: ownGroup.h2 },
  ...{ n: ownGroup.u1.length, u2: ownGroup.u2, uncounted: new Set<number>() },
};

const shown = (id: number, h3 = server.groupOf(id).h3): ShownAnswer => {
  const digest = hashOfAnswer(ctx, server.groupOf(id).h3, clients.get(id)?.unmask().entries ?? []);
  const seed = cohort.seeds.get(id) ?? new Uint8Array();
  return { id, digest, sig: signTagged(seed, ctx, 'R4', h3, u32(id), digest) };
};
/** The answers of the t lowest ids of each group. */
const used = server.groups.flatMap(({ u2, thresholds: { t } }) => u2.slice(0, t).map((id) => shown(id)));

/** The close of the round as its coordinator signs it. */
const honest: AnnouncedClose = {
  ...{ h1, h3: ownGroup.h3, answers: used, ...roots },
  T: server.transcript(
    { aggRoot: roots.aggRoot, groupRoots: groups.map(({ aggRoot }) => aggRoot) },
    used.map(({ id }) => id),
    roots.modelHash,
  ),
};
const own = { id: self, digest: shown(self).digest, h1: ownGroup.h1 };
const check =
  (
    change: Partial<AnnouncedClose> = {},
    logged = groups,
    me: typeof own | { id: number; h1: Uint8Array } = own,
  ) =>
  (): void =>
    verifyGroupedClose(view, { ...honest, ...change }, logged, me);
const refused = (words: string): unknown =>
  expect.objectContaining({ code: 'E_FORK', message: expect.stringContaining(words) as unknown });
const changed = (place: number, change: Partial<ClosedGroup>): ClosedGroup[] =>
  groups.map((group, k) => (k === place ? { ...group, ...change } : group));

describe('a close with sub-cohorts that is announced', () => {
  it('follows from the groups in their order and t answers of each, shown in any order', () => {
    expect(groups).toHaveLength(2);
    expect(check()).not.toThrow();
    expect(check({ answers: used.toReversed() })).not.toThrow();
  });

  it('covers the groups that follow from L1, in their order', () => {
    expect(check({}, groups.toReversed())).toThrow(refused('do not follow from L1'));
    expect(check({ h1: randomBytes(32) })).toThrow(refused('do not follow from L1'));
    expect(check({}, groups.slice(0, 1))).toThrow(refused('do not follow from L1'));
    const swapped = [...ownGroup.u1.slice(1), 1];
    expect(check({}, changed(OWN, { sites: swapped }))).toThrow(refused('do not follow from L1'));
  });

  it.each<[string, Partial<ClosedGroup>]>([
    ['U2', { h2: randomBytes(32) }],
    ['sum', { aggRoot: randomBytes(32) }],
  ])('covers the %s of the other group as the log has it', (_, change) => {
    expect(check({}, changed(0, change))).toThrow(refused('does not follow'));
  });

  it.each<[string, Partial<AnnouncedClose>]>([
    ['total', { aggRoot: randomBytes(32) }],
    ['result', { modelHash: randomBytes(32) }],
    ['T', { T: randomBytes(32) }],
  ])('covers the %s', (_, change) => {
    expect(check(change)).toThrow(refused('does not follow'));
  });

  it('counts t answers of every group, signed over the survivors of that group', () => {
    const { t } = other.thresholds;
    const [first] = used as [ShownAnswer];
    expect(check({ answers: used.slice(1) })).toThrow(refused(`with ${t - 1} answers, not with ${t}`));
    expect(check({ answers: [...used, shown(other.u2[t] as number)] })).toThrow(
      refused(`with ${t + 1} answers, not with ${t}`),
    );
    const elsewhere = { ...first, sig: shown(first.id, ownGroup.h3).sig };
    expect(check({ answers: [elsewhere, ...used.slice(1)] })).toThrow(refused('is not signed by it'));
    expect(check({}, changed(0, { h3: randomBytes(32) }))).toThrow(refused('is not signed by it'));
    expect(check({ answers: [...used, { ...first, id: 999 }] })).toThrow(refused('in no group'));
  });

  it('has the own answer as it was given, if at all', () => {
    const digest = randomBytes(32);
    expect(check({}, groups, { ...own, digest })).toThrow(refused('another answer than this site gave'));
    expect(check({}, groups, { id: self, h1: ownGroup.h1 })).toThrow(
      refused('another answer than this site'),
    );
    const silent = ownGroup.u2.at(-1) as number;
    expect(check({}, groups, { id: silent, h1: ownGroup.h1 })).not.toThrow();
  });
});
