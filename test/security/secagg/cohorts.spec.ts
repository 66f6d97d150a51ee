import { describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import type { SiteId } from '@regulon/shared/secagg';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import { LyingCoordinator, withManifest } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus, plus } from '../support/ring-words.js';
import { type SecAgg, secaggWithout, secaggWithoutSizeOf } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

const all = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];

/** Run a part of the sites as if it were the whole attempt. @param u1 the list that it is shown */
function subSum(
  coordinator: LyingCoordinator,
  u1: readonly SiteId[],
  members: readonly SiteId[],
  t: number,
): Uint8Array {
  coordinator.deal(members, u1);
  coordinator.upload(members, u1, members);
  const answers = coordinator.answers(members, coordinator.confirm(members, members));
  return new Spoils(coordinator, u1, t).take(...answers).sumOf(members);
}

const plain = (coordinator: LyingCoordinator, ids: readonly SiteId[]): string =>
  hex(plus(...ids.map((id) => coordinator.site(id).vector)));

describe('B5: two cohorts in one round', () => {
  // γ = 0: the quorum of ten sites is six, t of six is four
  const honestOnly = (): TestCohort => makeCohort(10, { gammaNum: 0 });
  const [low, high] = [all.slice(0, 5), all.slice(5)];

  it('B5 disjoint lists are E_COHORT at every site', () => {
    const coordinator = new LyingCoordinator(honestOnly()).joinAll();
    for (const id of all) {
      const list = low.includes(id) ? low : high;
      expect(() => coordinator.deal([id], list)).toThrow(refused('E_COHORT', /U1 has 5 of 10/));
    }
  });

  it('B5 overlapping lists pass as U1, and are E_COHORT as U2', () => {
    const coordinator = new LyingCoordinator(honestOnly()).joinAll();
    const [first, second] = [all.slice(0, 6), all.slice(4)];
    coordinator.deal(low, first);
    coordinator.deal(high, second);
    for (const id of low)
      expect(() => coordinator.upload([id], first, low)).toThrow(refused('E_COHORT', /U2 has 5 of 10/));
    for (const id of high)
      expect(() => coordinator.upload([id], second, high)).toThrow(refused('E_COHORT', /U2 has 5 of 10/));
  });

  it('B5 a site deals to one list only: E_STATE', () => {
    const coordinator = new LyingCoordinator(honestOnly()).joinAll();
    coordinator.deal([50], all.slice(0, 6));
    coordinator.restart(50);
    expect(() => coordinator.deal([50], all.slice(4))).toThrow(refused('E_STATE', /another U1/));
  });

  it('B5 control: without the size of U2 both sub-sums of the overlapping lists appear', async () => {
    const coordinator = new LyingCoordinator(honestOnly(), await secaggWithoutSizeOf('U2')).joinAll();
    expect(hex(subSum(coordinator, all.slice(0, 6), low, 4))).toBe(plain(coordinator, low));
    expect(hex(subSum(coordinator, all.slice(4), high, 4))).toBe(plain(coordinator, high));
  });

  it('B5 control: without the size of U1 and U2 both sub-sums of the disjoint lists appear', async () => {
    const coordinator = new LyingCoordinator(honestOnly(), await secaggWithoutSizeOf('both')).joinAll();
    expect(hex(subSum(coordinator, low, low, 3))).toBe(plain(coordinator, low));
    expect(hex(subSum(coordinator, high, high, 3))).toBe(plain(coordinator, high));
  });

  // γ = 1/3: c = 3; the strict quorum of ten sites is seven
  const colluders = all.slice(0, 3);
  const [one, other] = [
    [...colluders, 40, 50, 60],
    [...colluders, 70, 80, 90],
  ];

  it('B5 colluders in both lists: neither is large enough, or an honest site stands in both', () => {
    const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
    expect(() => coordinator.deal([40], one)).toThrow(refused('E_COHORT', /at least 7/));
    const larger = [...one, 70];
    coordinator.deal([70], larger);
    expect(() => coordinator.deal([70], [...other, 100])).toThrow(refused('E_STATE', /another U1/));
  });

  it('B5 control: with a simple majority as quorum both sums appear', () => {
    const coordinator = new LyingCoordinator(makeCohort(10, { quorumRule: 1 })).joinAll();
    const before = colluders.map((id) => coordinator.site(id).client.snapshot());
    expect(hex(subSum(coordinator, one, one, 5))).toBe(plain(coordinator, one));
    // the colluding sites take part twice
    colluders.forEach((id, k) => coordinator.restart(id, before[k]));
    expect(hex(subSum(coordinator, other, other, 5))).toBe(plain(coordinator, other));
  });
});

describe('B6: a tiny cohort', () => {
  const victim = 100;
  const colluders = [10, 20];
  const tiny = [...colluders, victim];

  it('B6 a U1 below the quorum is E_COHORT', () => {
    for (let size = 1; size < 7; size++) {
      const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
      expect(() => coordinator.deal([victim], all.slice(10 - size))).toThrow(refused('E_COHORT'));
    }
  });

  it('B6 a U2 below the quorum is E_COHORT', () => {
    const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
    coordinator.deal(all);
    expect(() => coordinator.upload([victim], all, tiny)).toThrow(refused('E_COHORT', /U2 has 3 of 10/));
  });

  it('B6 survivors below uMin are E_U3, also when silent sites fill them up', () => {
    const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
    coordinator.deal(all);
    coordinator.upload(all, all);
    expect(() => coordinator.confirm([victim], tiny)).toThrow(refused('E_U3', /3 survivors, 7 are needed/));
    const roles = all.map((id) => ({ id, role: id < 50 ? (1 as const) : (0 as const) }));
    const silent = new LyingCoordinator(makeCohort(10, { roles })).joinAll();
    silent.deal(all);
    silent.upload(all, all);
    expect(() => silent.confirm([victim], all)).toThrow(refused('E_U3', /6 contributing survivors/));
  });

  it('B6 a manifest that asks for fewer than three sites is E_POLICY', () => {
    const cohort = withManifest(makeCohort(10), { nMin: 2 });
    expect(() => new LyingCoordinator(cohort).join(victim)).toThrow(refused('E_POLICY'));
  });

  it('B6 a list longer than the plan is E_COHORT', () => {
    const five = makeCohort(10, { N: 5, roles: all.slice(5).map((id) => ({ id, role: 0 as const })) });
    const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
    const site = new LyingCoordinator(five).join(victim).client;
    expect(() => site.shareKeys(coordinator.keys(all))).toThrow(refused('E_COHORT', /10 of 5/));
  });

  it('B6 control: without a least cohort two colluding sites read the third', async () => {
    const weak: SecAgg = await secaggWithout('minimumCohort');
    const coordinator = new LyingCoordinator(makeCohort(10, { nMin: 3 }), weak).joinAll();
    const sum = subSum(coordinator, tiny, tiny, 3);
    const theirs = plus(...colluders.map((id) => coordinator.site(id).vector));
    expect(hex(minus(sum, theirs))).toBe(hex(coordinator.site(victim).vector));
  });
});
