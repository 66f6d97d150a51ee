import { describe, expect, it } from '@jest/globals';
import {
  boxKeyPair,
  fromHex,
  hex,
  publicKeyOf,
  randomBytes,
  secretboxOpen,
  sha256,
  u32,
} from '@regulon/shared/crypto';
import type { AdvertiseKeys, RosterView, SiteId } from '@regulon/shared/secagg';
import { decodeState } from '../../../shared/src/secagg/client-state.js';
import { signTagged } from '../../../shared/src/secagg/hashing.js';
import { pairMaskKey } from '../../../shared/src/secagg/mask-keys.js';
import { dealShares, envelopeKey } from '../../../shared/src/secagg/r1-deal.js';
import { makeCohort, type TestCohort } from '../../../shared/src/secagg/secagg.support.js';
import { inventedCohort, LyingCoordinator, withManifest } from '../support/lying-coordinator.js';
import { refused } from '../support/refused.js';
import { minus, plus } from '../support/ring-words.js';
import { secaggWithout } from '../support/secagg-without.js';
import { Spoils } from '../support/spoils.js';

const victim = 30;
const all = [10, 20, 30, 40, 50];
const others = all.filter((id) => id !== victim);

/** The coordinator plays all sites but one, through R0 to R4, and takes its own vectors off the sum. */
function playOthers(coordinator: LyingCoordinator, t: number): Uint8Array {
  const spoils = new Spoils(coordinator, all, t).take(...coordinator.run(all));
  return minus(spoils.sumOf(all), plus(...others.map((id) => coordinator.site(id).vector)));
}

describe('B1: keys substituted in L1', () => {
  const honest = new LyingCoordinator(makeCohort(5)).joinAll();
  const list = honest.keys(all);
  const fresh = () => new LyingCoordinator(makeCohort(5)).join(victim).client;

  it.each(['cPk', 'sPk', 'nonce'] as const)('B1 another %s of any site is E_SIG_R0', (field) => {
    for (const id of all) {
      const forged = list.map((k) => (k.id === id ? { ...k, [field]: boxKeyPair().publicKey } : k));
      expect(() => fresh().shareKeys(forged)).toThrow(refused('E_SIG_R0'));
    }
  });

  it('B1 keys that the site itself signed in an earlier attempt are E_SIG_R0', () => {
    const earlier = new LyingCoordinator(withManifest(makeCohort(5), { attempt: 0 })).join(20).advertised;
    const mixed = list.map((k) => (k.id === 20 ? earlier : k));
    expect(() => fresh().shareKeys(mixed)).toThrow(refused('E_SIG_R0'));
  });

  it('B1 the coordinator cannot play the other sites: E_SIG_R0', () => {
    const coordinator = new LyingCoordinator(inventedCohort(victim, 5)).joinAll();
    const site = coordinator.site(victim).client;
    expect(() => site.shareKeys(coordinator.keys(all))).toThrow(refused('E_SIG_R0'));
    expect(site.ended).toBe('E_SIG_R0');
  });

  it('B1 control: without signatures it plays them all and reads the vector of the one that is real', async () => {
    const weak = await secaggWithout('signatures');
    const coordinator = new LyingCoordinator(inventedCohort(victim, 5), weak).joinAll();
    expect(hex(playOthers(coordinator, 4))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('B2: sites that no roster lists', () => {
  /** The coordinator invents members, and a roster that lists them. */
  const sybils = (): TestCohort => {
    const cohort = inventedCohort(victim, 5);
    const members = [...cohort.seeds].map(([id, seed]) => ({ id, key: publicKeyOf(seed) }));
    const rosterHash = sha256(u32(9));
    const roster: RosterView = { ...cohort.roster, members, rosterHash };
    return withManifest({ ...cohort, roster }, { rosterHash });
  };

  it('B2 an unknown id in L1 is E_ROSTER', () => {
    const coordinator = new LyingCoordinator(makeCohort(5)).joinAll();
    const { client } = coordinator.site(victim);
    const stranger = { ...coordinator.site(10).advertised, id: 11 };
    expect(() => client.shareKeys([...coordinator.keys(others), stranger])).toThrow(refused('E_ROSTER'));
  });

  it('B2 a site twice in L1 is E_ROSTER', () => {
    const coordinator = new LyingCoordinator(makeCohort(6)).joinAll();
    const { client } = coordinator.site(victim);
    expect(() => client.shareKeys(coordinator.keys([...all, 10]))).toThrow(refused('E_ROSTER'));
  });

  it('B2 a manifest that gives a stranger a role, or names another roster, is E_ROSTER', () => {
    const { roster, seeds } = makeCohort(5);
    const named = withManifest(makeCohort(5), {
      roles: [...others, 11].map((id) => ({ id, role: 0 as const })),
    });
    expect(() => new LyingCoordinator(named).join(10)).toThrow(refused('E_ROSTER'));
    const pinned = new LyingCoordinator({ ...sybils(), roster, seeds });
    expect(() => pinned.join(victim)).toThrow(refused('E_ROSTER'));
  });

  it("B2 control: a site that takes the coordinator's roster takes part in a sum of its own vector", () => {
    const coordinator = new LyingCoordinator(sybils()).joinAll();
    expect(hex(playOthers(coordinator, 4))).toBe(hex(coordinator.site(victim).vector));
  });
});

describe('B7: low-order keys, correctly signed by a colluding site', () => {
  const points = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
  ];
  const highBit = (point: string): Uint8Array => {
    const bytes = fromHex(point, 32).slice();
    bytes[31] = (bytes[31] ?? 0) | 0x80;
    return bytes;
  };
  const resigned = (coordinator: LyingCoordinator, id: SiteId, change: object): AdvertiseKeys => {
    const m = { ...coordinator.site(id).advertised, ...change };
    const seed = coordinator.cohort.seeds.get(id) ?? new Uint8Array();
    const { ctx } = coordinator.site(id).client;
    return { ...m, sig: signTagged(seed, ctx, 'R0', u32(id), m.cPk, m.sPk, m.nonce) };
  };

  it.each(['cPk', 'sPk'] as const)('B7 as %s every one of them is E_LOW_ORDER', (field) => {
    for (const point of points.flatMap((p) => [fromHex(p, 32), highBit(p)])) {
      const coordinator = new LyingCoordinator(makeCohort(5)).joinAll();
      const weak = resigned(coordinator, 20, { [field]: point });
      const list = coordinator.keys(all).map((k) => (k.id === 20 ? weak : k));
      expect(() => coordinator.site(victim).client.shareKeys(list)).toThrow(refused('E_LOW_ORDER'));
    }
  });

  it('B7 a key that stands twice is E_LOW_ORDER', () => {
    const coordinator = new LyingCoordinator(makeCohort(5)).joinAll();
    const twice = resigned(coordinator, 20, { sPk: coordinator.site(40).advertised.sPk });
    const list = coordinator.keys(all).map((k) => (k.id === 20 ? twice : k));
    expect(() => coordinator.site(victim).client.shareKeys(list)).toThrow(refused('E_LOW_ORDER'));
  });

  // what every low-order point gives, whatever the secret key of the other side
  const known = fromHex('351f86faa3b988468a850122b65b0acece9c4826806aeee63de9c0da2bd7f91e', 32);
  const low = fromHex(points[2] ?? '', 32);

  it('B7 control: with plain NaCl anybody opens the shares dealt to such a site', async () => {
    const coordinator = new LyingCoordinator(makeCohort(5), await secaggWithout('lowOrder')).joinAll();
    const weak = resigned(coordinator, 20, { cPk: low });
    const list = coordinator.keys(all).map((k) => (k.id === 20 ? weak : k));
    coordinator.deal([victim], all, list);
    const { client, shares } = coordinator.site(victim);
    const key = envelopeKey(client.ctx, client.h1(), victim, 20, known);
    expect(secretboxOpen(shares?.envelopes[1] ?? low, new Uint8Array(24), key)).toHaveLength(96);
  });

  it('B7 control: with plain NaCl anybody computes the mask with such a site', async () => {
    const coordinator = new LyingCoordinator(makeCohort(5), await secaggWithout('lowOrder')).joinAll();
    const weak = resigned(coordinator, 20, { sPk: low });
    const list = coordinator.keys(all).map((k) => (k.id === 20 ? weak : k));
    coordinator.deal(
      all.filter((id) => id !== 20),
      all,
      list,
    );
    const { client } = coordinator.site(victim);
    const { secrets } = decodeState(coordinator.site(20).client.snapshot());
    const seed = coordinator.cohort.seeds.get(20) ?? low;
    const dealt = { ctx: client.ctx, h1: client.h1(), id: 20, seed, secrets, keys: list, t: 4 };
    coordinator.site(20).shares = dealShares({ ...dealt, random: randomBytes }).message;
    const { masks } = client.maskPlan(coordinator.deliveries(victim, all));
    const open = pairMaskKey(client.ctx, client.h2(), victim, 20, known);
    expect(masks.map(({ key }) => hex(key))).toContain(hex(open));
  });
});
