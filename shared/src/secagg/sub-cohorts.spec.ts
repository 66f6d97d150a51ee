import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex, randomBytes } from '../crypto/index.js';
import { isRegulonError } from '../errors/index.js';
import { aggRootOf, AttemptServer } from './attempt-server.js';
import { SecAggClient } from './client.js';
import { thresholdsOf } from './manifest-checks.js';
import { signManifest, type Manifest, type SiteId } from './manifest.js';
import { joinSite, makeCohort, plainSum, restarted, type TestCohort } from './secagg.support.js';
import { hashOverGroups, subCohortsOf } from './sub-cohorts.js';
import { runGroupsUntil, sumOfGroup, type GroupedAttempt } from './sub-cohorts.support.js';

const code = (expected: string): object => expect.objectContaining({ code: expected });
/** γ = 0: groups of five sites, of which one upload may be lost */
const grouped = (n: number, subCohort = 5, more: Partial<Manifest> = {}): TestCohort =>
  makeCohort(n, { gammaNum: 0, subCohort, d: 61, ...more });
const idsOf = ({ server }: GroupedAttempt): SiteId[][] => server.groups.map(({ u1 }) => u1);

/** Every group's sum is the sum of its survivors, and no other. */
const expectExact = (attempt: GroupedAttempt): void => {
  const { server, vectors } = attempt;
  const opened = server.unmaskGroups();
  server.groups.forEach((group, k) => {
    const unmasking = opened[k];
    if (!unmasking) throw new TypeError('no group');
    const plain = group.u3.map((id) => vectors.get(id) ?? new Uint8Array());
    expect(hex(sumOfGroup(attempt, group, unmasking))).toBe(hex(plainSum(plain, 32)));
  });
};

describe('sub-cohorts', () => {
  it('cut U1 into disjoint groups by its hash, and the remainder joins the last one', () => {
    const attempt = runGroupsUntil(grouped(18), 'r1');
    const ids = idsOf(attempt);
    expect(ids.map((group) => group.length)).toEqual([5, 5, 8]);
    expect(ids.flat().sort((a, b) => a - b)).toEqual(attempt.server.u1);
    const { keys } = subCohortsOf({ subCohort: 0 }, attempt.server.ctx, attempt.server.closeU1())[0] ?? {};
    expect(keys).toHaveLength(18);
    const again = idsOf(runGroupsUntil(grouped(18), 'r1'));
    expect(again).not.toEqual(ids);
  });

  it('have one hash over all of them; without sub-cohorts it is that of all sites', () => {
    const [ctx, one, two] = [1, 2, 3].map((byte) => new Uint8Array(32).fill(byte));
    if (!ctx || !one || !two) throw new TypeError('three hashes');
    expect(hashOverGroups({ subCohort: 0 }, ctx, [one])).toEqual(one);
    const over = hex(hashOverGroups({ subCohort: 5 }, ctx, [one, two]));
    expect([hex(one), hex(two)]).not.toContain(over);
    expect(hex(hashOverGroups({ subCohort: 5 }, ctx, [two, one]))).not.toBe(over);
  });

  it('are the same at every site, before and after a restart', () => {
    const cohort = grouped(12);
    const { server, clients } = runGroupsUntil(cohort, 'r1');
    for (const [id, client] of clients) {
      const group = server.groupOf(id);
      expect(hex(client.h1())).toBe(hex(group.h1));
      expect(hex(restarted(cohort, client, id).h1())).toBe(hex(group.h1));
      expect(client.cohort().keys.map((k) => k.id)).toEqual(group.u1);
    }
    expect(new Set(server.groups.map(({ h1 }) => hex(h1))).size).toBe(2);
  });

  it('have a bit-exact sum each, and the transcript covers all of them in their order', () => {
    const attempt = runGroupsUntil(grouped(11), 'r4');
    expectExact(attempt);
    const { server } = attempt;
    const roots = { aggRoot: randomBytes(32), groupRoots: [randomBytes(32), randomBytes(32)] };
    const used = server.unmaskGroups().flatMap(({ responders }) => responders);
    const T = hex(server.transcript(roots, used, new Uint8Array(32)));
    const swapped = { ...roots, groupRoots: [...roots.groupRoots].reverse() };
    expect(hex(server.transcript(swapped, used, new Uint8Array(32)))).not.toBe(T);
    expect(() => aggRootOf(server.manifest, server.ctx, { ...roots, groupRoots: [] })).toThrow();
    expect(() => server.transcript(roots, used.slice(1), new Uint8Array(32))).toThrow(code('E_STATE'));
  });

  it('stay exact with a lost upload in one group; one more ends the attempt of all', () => {
    // thresholds of five sites, γ = 0: t = 3, uMin = 3; U2 may lose two sites, but nobody else
    const run = (count: number): GroupedAttempt => {
      const cohort = grouped(10);
      const attempt = runGroupsUntil(cohort, 'r1');
      const group = idsOf(attempt)[0] ?? [];
      attempt.server.closeU2();
      const lost = group.slice(0, count);
      for (const [id, client] of attempt.clients) if (!lost.includes(id)) uploadOne(attempt, id, client);
      attempt.server.closeU3();
      return attempt;
    };
    expect(run(2).server.u3).toHaveLength(8);
    expect(() => run(3)).toThrow(code('E_COHORT'));
  });

  it('count the thresholds of a group with its own size and the colluders of the whole roster', () => {
    const { server } = runGroupsUntil(grouped(24, 12, { gammaNum: 1, gammaDen: 3, nMin: 5 }), 'r1');
    expect(server.thresholds).toMatchObject({ n: 24, c: 8, quorum: 17 });
    for (const group of server.groups)
      expect(group.thresholds).toMatchObject({ n: 12, c: 8, t: 11, uMin: 11, h: 3 });
  });

  it.each<[string, Partial<Manifest>]>([
    ['groups smaller than c + 4', { gammaNum: 1, gammaDen: 3, subCohort: 6 }],
    ['groups smaller than nMin', { nMin: 6, subCohort: 5 }],
    ['fewer than two groups', { subCohort: 7 }],
    ['groups of a statistic', { purpose: 1 }],
  ])('are refused by sites and coordinator: %s', (_, change) => {
    const cohort = grouped(12, 5, change);
    expect(() => joinSite(cohort, 10)).toThrow(code('E_POLICY'));
    expect(() => new AttemptServer(cohort)).toThrow(code('E_POLICY'));
  });

  it('are refused by a site that does not allow them', () => {
    const { manifest, coordinatorSeed, roster, seeds } = grouped(12);
    const signed = { manifest, coordinatorSignature: signManifest(coordinatorSeed, manifest) };
    const input = { ...signed, roster, id: 10, seed: seeds.get(10) ?? new Uint8Array() };
    expect(() => SecAggClient.join(input)).toThrow(code('E_POLICY'));
    expect(() => SecAggClient.join({ ...input, allowSubCohorts: true })).not.toThrow();
  });

  it('need two groups in U1: with fewer sites the attempt does not begin', () => {
    const lost = { r0: [10, 20, 30] };
    expect(() => runGroupsUntil(grouped(12), 'r1', lost)).toThrow(code('E_COHORT'));
    const site = joinSite(grouped(12), 10);
    const others = [...runGroupsUntil(grouped(12), 'r0').clients.values()].slice(1, 9);
    const list = [site, ...others].map((client) => client.advertise());
    expect(() => site.shareKeys(list)).toThrow(code('E_COHORT'));
  });

  it('sum exactly, or end with a named error, for random cohorts and losses in any group', () => {
    const ended = { sum: 0, abort: 0, pause: 0 };
    const share = fc.integer({ min: 0, max: 4 });
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 40 }),
        fc.record({ r0: share, r1: share, r2: share, r3: share, r4: share }),
        fc.array(fc.nat(), { minLength: 20, maxLength: 20 }),
        (n, part, dice) => {
          const cohort = grouped(n, 5, { d: 7 });
          const ids = [...cohort.seeds.keys()];
          const pick = (count: number, from: number): SiteId[] =>
            dice.slice(from, from + count).map((k) => ids[k % n] ?? 0);
          const losses = {
            ...{ r0: pick(part.r0, 0), r1: pick(part.r1, 4), r2: pick(part.r2, 8) },
            ...{ r3: pick(part.r3, 12), r4: pick(part.r4, 16) },
          };
          ended[fateOf(cohort, losses)] += 1;
        },
      ),
      { numRuns: 30, seed: 41 },
    );
    expect(Math.min(ended.sum, ended.abort, ended.pause)).toBeGreaterThan(0);
  });

  it('hold for sixty sites', () => {
    const attempt = runGroupsUntil(grouped(60, 12, { d: 3 }), 'r4', { r2: [10] });
    expect(attempt.server.groups).toHaveLength(5);
    expectExact(attempt);
  });
});

/** Run an attempt; what came of it must be what the sizes of the groups say. */
function fateOf(cohort: TestCohort, losses: Parameters<typeof runGroupsUntil>[2]): 'sum' | 'abort' | 'pause' {
  let attempt: GroupedAttempt;
  try {
    attempt = runGroupsUntil(cohort, 'r4', losses);
  } catch (error) {
    if (!isRegulonError(error)) throw error;
    expect(['E_COHORT', 'E_CONSISTENCY']).toContain(error.code);
    return error.code === 'E_COHORT' ? 'abort' : 'pause';
  }
  const { server } = attempt;
  for (const group of server.groups) {
    const { uMin } = thresholdsOf(cohort.manifest, cohort.roster, group.n);
    expect(group.u3.length).toBeGreaterThanOrEqual(uMin);
  }
  if (!server.canUnmask()) {
    expect(() => server.unmaskGroups()).toThrow(code('E_STATE'));
    return 'pause';
  }
  expectExact(attempt);
  return 'sum';
}

function uploadOne({ server, vectors }: GroupedAttempt, id: SiteId, client: SecAggClient): void {
  client.maskPlan(server.groupOf(id).deliveriesFor(id));
  vectors.set(id, new Uint8Array());
  server.addCommit(client.commit(new Uint8Array(32).fill(1), server.manifest.d + 2));
}
