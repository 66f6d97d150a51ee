import { describe, expect, it } from '@jest/globals';
import { hex, u32 } from '@regulon/shared/crypto';
import {
  type ConsistencySignature,
  hashOfAnswer,
  hashOfSurvivors,
  SecAggServer,
  type SiteId,
  type UnmaskAnswer,
} from '@regulon/shared/secagg';
import { signTagged } from '../../../shared/src/secagg/hashing.js';
import { makeCohort } from '../../../shared/src/secagg/secagg.support.js';
import { LyingCoordinator } from '../support/lying-coordinator.js';
import { outcomeOf, refused } from '../support/refused.js';
import { plus } from '../support/ring-words.js';
import { type SecAgg, secaggWithout } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

// N = 10, γ = 1/3: c = 3, t = 7, uMin = 7
const all = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100];
const [colluders, honest] = [all.slice(0, 3), all.slice(3)];
const victim = 100;
const t = 7;
const without = (...ids: readonly SiteId[]): SiteId[] => all.filter((id) => !ids.includes(id));

/** An attempt in which everybody has uploaded. @param receipts who holds one */
function uploaded(secagg?: SecAgg, receipts: readonly SiteId[] = all): LyingCoordinator {
  const coordinator = new LyingCoordinator(makeCohort(10), secagg).joinAll();
  coordinator.deal(all);
  coordinator.upload(receipts, all);
  coordinator.upload(
    all.filter((id) => !receipts.includes(id)),
    all,
    all,
    false,
  );
  return coordinator;
}

/** A colluding site signs any survivors. */
function signAny(coordinator: LyingCoordinator, id: SiteId, u3: readonly SiteId[]): ConsistencySignature {
  const { ctx } = coordinator.site(id).client;
  const h2 = coordinator.site(honest[0] ?? 0).client.h2();
  const h3 = hashOfSurvivors(ctx, h2, coordinator.survivors(u3));
  const seed = coordinator.cohort.seeds.get(id) ?? new Uint8Array();
  return { id, sig: signTagged(seed, ctx, 'R3', h3, u32(id)) };
}

/** Show each honest site its own survivors, collect what they sign and then what they answer. */
function split(
  coordinator: LyingCoordinator,
  views: ReadonlyMap<SiteId, readonly SiteId[]>,
  shares = t,
): { spoils: Spoils; outcomes: Map<SiteId, string> } {
  const signed = new Map([...views].map(([id, u3]) => [id, coordinator.confirm([id], u3)[0]]));
  const spoils = new Spoils(coordinator, all, shares);
  colluders.forEach((id) => spoils.collude(id));
  const outcomes = new Map<SiteId, string>();
  for (const [id, u3] of views) {
    const own = [...views]
      .filter(([, other]) => other.join() === u3.join())
      .map(([peer]) => signed.get(peer));
    const signatures = [...own, ...colluders.map((peer) => signAny(coordinator, peer, u3))];
    const known = signatures.filter((s) => s !== undefined);
    outcomes.set(
      id,
      outcomeOf(() => spoils.take(...coordinator.answers([id], known))),
    );
  }
  return { spoils, outcomes };
}
describe('B3: split survivors, to get shares of both kinds of one site', () => {
  const [withVictim, withoutVictim] = [all, without(victim)];

  it.each([1, 2, 3, 4, 5, 6])(
    'B3 %i of 7 honest sites see the victim survive, the others do not: never both kinds',
    (seeing) => {
      const coordinator = uploaded();
      // the victim itself holds a receipt: it signs only survivors with itself
      const order = [victim, ...honest.filter((id) => id !== victim)];
      const views = new Map(order.map((id, k) => [id, k < seeing ? withVictim : withoutVictim]));
      const { spoils, outcomes } = split(coordinator, views);
      expect(spoils.opens(0, victim) && spoils.opens(1, victim)).toBe(false);
      // four honest signatures and three of the colluders make t
      for (const [k, id] of order.entries()) {
        const agreeing = k < seeing ? seeing : 7 - seeing;
        expect(outcomes.get(id)).toBe(agreeing >= 4 ? 'accepted' : 'E_CONSISTENCY');
      }
    },
  );

  it('B3 with a receipt the victim refuses to be left out, without an upload to be put in: E_U3', () => {
    const coordinator = uploaded();
    expect(() => coordinator.confirm([victim], withoutVictim)).toThrow(refused('E_U3', /left out/));
    const silent = new LyingCoordinator(makeCohort(10)).joinAll();
    silent.deal(all);
    silent.upload(without(victim), all);
    const { client } = silent.site(victim);
    client.maskPlan(silent.deliveries(victim, all));
    const forged = [...silent.survivors(without(victim)), { ...silent.survivors([10])[0], id: victim }];
    expect(() => client.consistency(forged as never)).toThrow(refused('E_U3', /replaced/));
  });

  it('B3 survivors that are too few, strangers, repeated or not signed by their site are E_U3', () => {
    const six = all.slice(4);
    const tries = (coordinator: LyingCoordinator) => {
      const list = coordinator.survivors(all);
      const [first, second] = list;
      if (!first || !second) throw new TypeError('no survivors');
      return [
        coordinator.survivors(six),
        [...list.slice(1), list[2] ?? first],
        [{ ...first, id: 11 }, ...list.slice(1)],
        [{ ...first, root: second.root }, ...list.slice(1)],
        [{ ...first, sig: second.sig }, ...list.slice(1)],
      ];
    };
    for (let k = 0; k < 5; k++) {
      const coordinator = uploaded();
      const list = tries(coordinator)[k] ?? [];
      expect(() => coordinator.site(victim).client.consistency(list)).toThrow(refused('E_U3'));
    }
  });

  it('B3 signatures of another set, of strangers or repeated ones do not make t: E_CONSISTENCY', () => {
    const coordinator = uploaded();
    const signed = coordinator.confirm(honest, all);
    const { client } = coordinator.site(victim);
    const snapshot = client.snapshot();
    const six = [...signed.slice(0, 6)];
    const stranger = { ...(signed[0] as ConsistencySignature), id: 11 };
    const other = colluders.map((id) => signAny(coordinator, id, without(victim)));
    for (const list of [six, [...six, ...six], [...six, stranger], [...six, ...other]]) {
      coordinator.restart(victim, snapshot);
      expect(() => coordinator.answers([victim], list)).toThrow(refused('E_CONSISTENCY'));
    }
    coordinator.restart(victim, snapshot);
    expect(outcomeOf(() => coordinator.answers([victim], signed))).toBe('accepted');
  });

  it('B3 control: with t of the semi-honest protocol the split opens the vector of the victim', async () => {
    const coordinator = uploaded(await secaggWithout('colludersInT'));
    const order = [victim, ...honest.filter((id) => id !== victim)];
    const views = new Map(order.map((id, k) => [id, k < 4 ? withVictim : withoutVictim]));
    const { spoils, outcomes } = split(coordinator, views, 6);
    expect([...outcomes.values()]).toEqual(Array(7).fill('accepted'));
    expect(hex(spoils.vectorOf(victim))).toBe(hex(coordinator.site(victim).vector));
  });

  // each honest site is shown three other sites as lost; five sites are lost to four honest sites each
  const lost = [60, 70, 80, 90, 100];
  const shown = new Map<SiteId, SiteId[]>(
    honest.map((id, k) => [id, [0, 1, 2].map((j) => lost[(3 * k + j) % 5] ?? 0)]),
  );
  const viewsOf = new Map([...shown].map(([id, gone]) => [id, without(...gone)]));

  it('B3 many views, each with enough survivors: every site says E_CONSISTENCY', () => {
    const coordinator = uploaded(undefined, colluders);
    const { spoils, outcomes } = split(coordinator, viewsOf);
    expect([...outcomes.values()]).toEqual(Array(7).fill('E_CONSISTENCY'));
    expect(all.some((id) => spoils.opens(0, id) || spoils.opens(1, id))).toBe(false);
  });

  it('B3 control: without the signatures of R3 those views open a sum of two honest sites instead of four', async () => {
    const coordinator = uploaded(await secaggWithout('consistency'), colluders);
    const { spoils } = split(coordinator, viewsOf);
    const left = without(...lost);
    expect(left.filter((id) => honest.includes(id))).toHaveLength(2);
    const sum = spoils.sumOf(left);
    expect(hex(sum)).toBe(hex(plus(...left.map((id) => coordinator.site(id).vector))));
  });
});

describe('B4: R4 asked twice, with other survivors', () => {
  const smaller = without(victim);
  const answered = (secagg?: SecAgg) => {
    const coordinator = uploaded(secagg);
    // what every site had stored before R3
    const before = new Map(all.map((id) => [id, coordinator.site(id).client.snapshot()]));
    const spoils = new Spoils(coordinator, all, t).take(
      ...coordinator.answers(all, coordinator.confirm(all, all)),
    );
    return { coordinator, before, spoils };
  };

  it('B4 every site says E_STATE, also after a restart, and answers nothing more', () => {
    const { coordinator, spoils } = answered();
    for (const id of smaller) {
      coordinator.restart(id);
      expect(() => coordinator.confirm([id], smaller)).toThrow(refused('E_STATE', /another survivor set/));
      const signatures = smaller.map((peer) => signAny(coordinator, peer, smaller));
      expect(() => coordinator.answers([id], signatures)).toThrow(refused('E_STATE'));
    }
    expect(all.some((id) => spoils.opens(1, id))).toBe(false);
  });

  it('B4 asked again with the same survivors, or with other signatures, it gives the same bytes', () => {
    const { coordinator } = answered();
    const { client } = coordinator.site(victim);
    const [first] = coordinator.answers([victim], []);
    const others = smaller.map((id) => signAny(coordinator, id, smaller));
    expect(coordinator.answers([victim], others)).toEqual([first]);
    coordinator.restart(victim);
    expect(coordinator.site(victim).client).not.toBe(client);
    expect(coordinator.answers([victim], others)).toEqual([first]);
  });

  it('B4 control: sites that forget their answer open the vector of the victim', () => {
    const { coordinator, before, spoils } = answered();
    for (const id of smaller) coordinator.restart(id, before.get(id));
    spoils.take(...coordinator.answers(smaller, coordinator.confirm(smaller, smaller)));
    expect(hex(spoils.vectorOf(victim))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('B10: both kinds of share in one answer', () => {
  const answers = (secagg?: SecAgg): { coordinator: LyingCoordinator; given: UnmaskAnswer[] } => {
    const coordinator = new LyingCoordinator(makeCohort(10), secagg).joinAll();
    coordinator.deal(all);
    coordinator.upload(all, all);
    return { coordinator, given: coordinator.answers(all, coordinator.confirm(all, all)) };
  };

  it('B10 every answer has exactly one entry for each member of U2, of the kind that its fate demands', () => {
    const coordinator = new LyingCoordinator(makeCohort(10)).joinAll();
    coordinator.deal(all);
    coordinator.upload(without(40), all);
    coordinator.site(40).client.maskPlan(coordinator.deliveries(40, all));
    const signatures = coordinator.confirm(all, without(40));
    for (const { entries } of coordinator.answers(all, signatures)) {
      expect(entries.map(({ about, kind }) => [about, kind])).toEqual(
        all.map((id) => [id, id === 40 ? 1 : 0]),
      );
    }
  });

  it('B10 an honest coordinator takes no answer with both kinds: E_SIG_R4', async () => {
    const weak = answers(await secaggWithout('oneKind'));
    const { cohort, sites } = weak.coordinator;
    const server = new SecAggServer(cohort);
    sites.forEach(({ advertised }) => server.addAdvertise(advertised));
    server.closeU1();
    sites.forEach(({ shares }) => shares && server.addShares(shares));
    server.closeU2();
    const length = cohort.manifest.d + 2;
    sites.forEach(({ commit }) => commit && server.addCommit({ ...commit, length }));
    server.closeU3();
    const both = weak.given[0] as UnmaskAnswer;
    expect(both.entries).toHaveLength(20);
    expect(() => server.addAnswer(both)).toThrow(refused('E_SIG_R4'));
    const hash = hashOfAnswer(server.ctx, server.h3, both.entries.slice(0, 10));
    const seed = cohort.seeds.get(10) ?? new Uint8Array();
    const sig = signTagged(seed, server.ctx, 'R4', server.h3, u32(10), hash);
    expect(() => server.addAnswer({ id: 10, entries: both.entries.slice(0, 10), sig })).toThrow(
      refused('E_SIG_R4'),
    );
  });

  it('B10 control: sites without the rule give the coordinator every single vector', async () => {
    const { coordinator, given } = answers(await secaggWithout('oneKind'));
    const spoils = new Spoils(coordinator, all, t);
    for (const { id, entries } of given) {
      spoils.take({ id, entries, sig: new Uint8Array(64) });
    }
    for (const id of all) expect(hex(spoils.vectorOf(id))).toBe(hex(coordinator.site(id).vector));
  });

  it('B10 the same shares of real sites open no single vector', () => {
    const { coordinator, given } = answers();
    const spoils = new Spoils(coordinator, all, t).take(...given);
    colluders.forEach((id) => spoils.collude(id));
    for (const id of all) expect([spoils.opens(0, id), spoils.opens(1, id)]).toEqual([true, false]);
  });
});
