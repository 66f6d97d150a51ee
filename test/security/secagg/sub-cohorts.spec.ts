import { describe, expect, it } from '@jest/globals';
import { hex } from '@regulon/shared/crypto';
import { SecAggClient, type SiteId, subCohortOf, subCohortsOf } from '@regulon/shared/secagg';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import { runGroupsUntil, sumOfGroup } from '../../../shared/src/secagg/sub-cohorts.support.js';
import { tally } from '../../support/tally.js';
import { effort, TIMEOUT_MS } from '../support/effort.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus, plus } from '../support/ring-words.js';
import { secaggWithout } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

// twenty members of which two may collude: groups of six, of which t = 5 and uMin = 5
const federation = (subCohort = 6): TestCohort => makeCohort(20, { gammaNum: 1, gammaDen: 10, subCohort });
const all = Array.from({ length: 20 }, (_, k) => 10 * (k + 1));
const [victim, ...colluders] = [30, 10, 20] as const;

/** The groups of the attempt, as its sites compute them. */
const groupsOf = (coordinator: LyingCoordinator, u1: readonly SiteId[] = all): SiteId[][] => {
  const { manifest } = coordinator.cohort;
  const { ctx } = coordinator.site(victim).client;
  return subCohortsOf(manifest, ctx, coordinator.keys(u1)).map(({ keys }) => keys.map(({ id }) => id));
};
const groupOf = (coordinator: LyingCoordinator, site: SiteId): SiteId[] =>
  groupsOf(coordinator).find((ids) => ids.includes(site)) ?? [];

/** The colluding sites try keys until they are in one group with their victim. */
function ground(coordinator: LyingCoordinator): SiteId[] {
  for (;;) {
    const group = groupOf(coordinator, victim);
    if (colluders.every((id) => group.includes(id))) return group;
    for (const id of colluders) coordinator.join(id);
  }
}

/** The sum of some members of a group, if its sites let it come to that. */
function subSum(
  coordinator: LyingCoordinator,
  group: readonly SiteId[],
  members: readonly SiteId[],
  t: number,
): Uint8Array {
  coordinator.deal(all);
  coordinator.upload(members, group, members);
  const answers = coordinator.answers(members, coordinator.confirm(members, members));
  return new Spoils(coordinator, group, t).take(...answers).sumOf(members);
}

describe('groups that are too small', () => {
  it('are E_POLICY: a group has four honest sites, whatever keys the colluding ones choose', () => {
    expect(() => new LyingCoordinator(federation(5)).join(victim)).toThrow(refused('E_POLICY', /below 6/));
  });

  it('control: where nobody is thought to collude, two colluding sites read the third', async () => {
    const coordinator = new LyingCoordinator(federation(5), await secaggWithout('colluders')).joinAll();
    const group = ground(coordinator);
    const sum = subSum(coordinator, group, [...colluders, victim], 3);
    const theirs = plus(...colluders.map((id) => coordinator.site(id).vector));
    expect(hex(minus(sum, theirs))).toBe(hex(coordinator.site(victim).vector));
  });

  it('do not come about by leaving members out: U2 is E_COHORT, U3 is E_U3', () => {
    const coordinator = new LyingCoordinator(federation()).joinAll();
    const group = ground(coordinator);
    const few = [...colluders, victim];
    coordinator.deal(all);
    expect(() => coordinator.upload([victim], group, few)).toThrow(refused('E_COHORT', /U2 has 3 of [68]/));
    const other = new LyingCoordinator(federation()).joinAll();
    const members = ground(other);
    other.deal(all);
    other.upload(members, members);
    expect(() => other.confirm([victim], few)).toThrow(refused('E_U3', /3 survivors/));
  });

  it('control: without least sizes three survivors are summed, and the third is read', async () => {
    const coordinator = new LyingCoordinator(federation(), await secaggWithout('minimumCohort')).joinAll();
    const [group, few] = [ground(coordinator), [...colluders, victim]];
    coordinator.deal(all);
    coordinator.upload(group, group, group, false);
    const answers = coordinator.answers(group, coordinator.confirm(group, few));
    const t = Math.floor((group.length + 2) / 2) + 1;
    const sum = new Spoils(coordinator, group, t).take(...answers).sumOf(few);
    const theirs = plus(...colluders.map((id) => coordinator.site(id).vector));
    expect(hex(minus(sum, theirs))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('groups that the coordinator would like to choose', () => {
  it('are refused: a site takes shares of its own group only (E_STATE)', () => {
    const coordinator = new LyingCoordinator(federation()).joinAll();
    const others = groupsOf(coordinator).find((ids) => !ids.includes(victim)) ?? [];
    coordinator.deal(all);
    const [stranger = 0] = others;
    const { client } = coordinator.site(victim);
    expect(() => client.maskPlan(coordinator.deliveries(stranger, others))).toThrow(
      refused('E_STATE', /no part of U1/),
    );
    const again = new LyingCoordinator(federation()).joinAll();
    const group = groupOf(again, victim);
    again.deal(all);
    const foreign = all.find((id) => !group.includes(id)) ?? 0;
    const shown = again.deliveries(victim, group).map((m, k) => (k === 0 ? { ...m, from: foreign } : m));
    expect(() => again.site(victim).client.maskPlan(shown)).toThrow(refused('E_STATE'));
  });

  it('control: where ids decide, the group is the one that the coordinator has named', async () => {
    const coordinator = new LyingCoordinator(federation(), await secaggWithout('rankedGroups')).joinAll();
    const chosen = all.slice(0, 6);
    const sum = subSum(coordinator, chosen, chosen, 5);
    expect(hex(sum)).toBe(hex(plus(...chosen.map((id) => coordinator.site(id).vector))));
    // the same sites are hardly ever a group by their keys
    const honest = new LyingCoordinator(federation()).joinAll();
    expect(groupsOf(honest).some((ids) => ids.join() === chosen.join())).toBe(false);
  });
});

describe('two groupings in one attempt', () => {
  const [one, two] = [all.slice(1), all.slice(0, -1)];

  /** A site that was shown the first list, and a dealer of its group that was shown the second. */
  const split = (coordinator: LyingCoordinator): { group: SiteId[]; dealer: SiteId } => {
    const group = groupsOf(coordinator, one).find((ids) => ids.includes(victim)) ?? [];
    const dealer = group.find((id) => id !== victim) ?? 0;
    coordinator.deal([victim], one);
    coordinator.deal([dealer], two);
    coordinator.deal(
      group.filter((id) => id !== victim && id !== dealer),
      one,
    );
    return { group, dealer };
  };

  it('do not meet: what was dealt under another list is E_SIG_R1', () => {
    const coordinator = new LyingCoordinator(federation()).joinAll();
    const { group, dealer } = split(coordinator);
    const { client } = coordinator.site(victim);
    const honest = group.filter((id) => id !== dealer);
    const from = coordinator
      .site(dealer)
      .client.cohort()
      .keys.map(({ id }) => id);
    const [holder = 0] = from.filter((id) => id !== dealer);
    const [foreign] = coordinator.deliveries(holder, from, [dealer]);
    if (!foreign) throw new TypeError('nothing was dealt');
    const shown = [...coordinator.deliveries(victim, group, honest), foreign];
    expect(() => client.maskPlan(shown)).toThrow(refused('E_SIG_R1'));
  });

  it('are no second chance: a site deals to one list only (E_STATE)', () => {
    const coordinator = new LyingCoordinator(federation()).joinAll();
    coordinator.deal([victim], one);
    coordinator.restart(victim);
    expect(() => coordinator.deal([victim], two)).toThrow(refused('E_STATE', /another U1/));
  });

  it('another index, other members or another list give another h1', () => {
    const coordinator = new LyingCoordinator(federation()).joinAll();
    const { client } = coordinator.site(victim);
    const hashes = [all, one, two].flatMap((u1) =>
      subCohortsOf(coordinator.cohort.manifest, client.ctx, coordinator.keys(u1)).map(({ h1 }) => hex(h1)),
    );
    expect(new Set(hashes).size).toBe(hashes.length);
  });
});

describe('sub-cohorts that a site did not allow', () => {
  it('are E_POLICY, whoever signed them', () => {
    const { manifest, coordinatorSignature, roster, seeds } = federation();
    const seed = seeds.get(victim) ?? new Uint8Array();
    const input = { manifest, coordinatorSignature, roster, id: victim, seed };
    expect(() => SecAggClient.join(input)).toThrow(refused('E_POLICY', /allows no sub-cohorts/));
  });
});

describe('random cohorts in groups', () => {
  it(
    'the largest federation: every group has the exact sum of its survivors',
    () => {
      const n = effort(40, 255);
      const attempt = runGroupsUntil(makeCohort(n, { gammaNum: 0, subCohort: 20, d: 5 }), 'r4', { r2: [10] });
      const opened = attempt.server.unmaskGroups();
      attempt.server.groups.forEach((group, k) => {
        const unmasking = opened[k];
        if (!unmasking) throw new TypeError('no group');
        const plain = plus(...group.u3.map((id) => attempt.vectors.get(id) ?? new Uint8Array()));
        expect(hex(sumOfGroup(attempt, group, unmasking))).toBe(hex(plain));
        const keys = attempt.server.closeU1();
        const groups = subCohortsOf(attempt.server.manifest, attempt.server.ctx, keys);
        expect(subCohortOf(groups, group.u1[0] ?? 0)?.index).toBe(k);
        tally('random cohorts', `exact sum of a group of ${n}`);
      });
    },
    TIMEOUT_MS,
  );
});
