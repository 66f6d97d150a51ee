import { describe, expect, it } from '@jest/globals';
import { boxKeyPair, randomBytes, u32 } from '../crypto/index.js';
import type { SecAggClient } from './client.js';
import { signTagged } from './hashing.js';
import { ctxOf, signManifest, vectorLength, type Manifest } from './manifest.js';
import type { AdvertiseKeys, SurvivorEntry } from './messages.js';
import {
  joinSite,
  makeCohort,
  restarted,
  runUntil,
  type AttemptState,
  type Losses,
  type Stage,
} from './secagg.support.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });
const seedOf = (state: Pick<AttemptState, 'cohort'>, id: number): Uint8Array =>
  state.cohort.seeds.get(id) ?? new Uint8Array();
const site = (state: AttemptState, id: number): SecAggClient => {
  const client = state.clients.get(id);
  if (!client) throw new Error('no site');
  return restarted(state.cohort, client, id);
};
const at = (stage: Stage, n = 5, losses: Losses = {}): AttemptState => runUntil(makeCohort(n), stage, losses);

describe('R1 at a site', () => {
  const state = at('r0', 10);
  const keys = state.server.closeU1();
  const ctx = ctxOf(state.cohort.manifest);
  const advertise = (id: number, change: Partial<AdvertiseKeys>): AdvertiseKeys => {
    const old = keys.find((entry) => entry.id === id);
    const m = { ...(old as AdvertiseKeys), ...change };
    return { ...m, sig: signTagged(seedOf(state, id), ctx, 'R0', u32(id), m.cPk, m.sPk, m.nonce) };
  };
  const replaced = (entry: AdvertiseKeys): AdvertiseKeys[] =>
    keys.map((old) => (old.id === entry.id ? entry : old));
  const join = (): SecAggClient => site(state, 30);

  it('refuses a substituted key (B1)', () => {
    const forged = { ...(keys[0] as AdvertiseKeys), cPk: boxKeyPair().publicKey };
    expect(() => join().shareKeys(replaced(forged))).toThrow(code('E_SIG_R0'));
  });

  it('refuses its own keys when they were replaced, even correctly signed', () => {
    expect(() => join().shareKeys(replaced(advertise(30, { nonce: randomBytes(32) })))).toThrow(
      code('E_SIG_R0'),
    );
  });

  it('refuses an id outside the roster (B2)', () => {
    const stranger = { ...(keys[0] as AdvertiseKeys), id: 11 };
    expect(() => join().shareKeys([...keys.slice(1), stranger])).toThrow(code('E_ROSTER'));
    expect(() => join().shareKeys([...keys.slice(1), keys[5] as AdvertiseKeys])).toThrow(code('E_ROSTER'));
  });

  it('refuses a cohort below the quorum (B6), and overlapping lists of the malicious kind (B5)', () => {
    expect(() => join().shareKeys(keys.slice(0, 6))).toThrow(code('E_COHORT'));
    expect(() => join().shareKeys(keys.slice(2, 8))).toThrow(code('E_COHORT'));
    expect(() => join().shareKeys(keys.slice(0, 7))).not.toThrow();
  });

  it('refuses low-order and repeated keys, correctly signed (B7)', () => {
    for (const point of [new Uint8Array(32), Uint8Array.of(1, ...new Uint8Array(31))]) {
      expect(() => join().shareKeys(replaced(advertise(20, { cPk: point })))).toThrow(code('E_LOW_ORDER'));
      expect(() => join().shareKeys(replaced(advertise(20, { sPk: point })))).toThrow(code('E_LOW_ORDER'));
    }
    const { sPk } = keys[0] as AdvertiseKeys;
    expect(() => join().shareKeys(replaced(advertise(20, { cPk: sPk })))).toThrow(code('E_LOW_ORDER'));
  });

  it('deals once: another list is out of order and ends the attempt', () => {
    const client = join();
    client.shareKeys(keys);
    expect(() => client.shareKeys(keys.slice(0, 9))).toThrow(code('E_STATE'));
    expect(client.ended).toBe('E_STATE');
    expect(() => client.shareKeys(keys)).toThrow(code('E_STATE'));
  });
});

describe('R2 at a site', () => {
  const state = at('r1', 10);
  state.server.closeU2();
  const deliveries = state.server.deliveriesFor(30);

  it('refuses a U2 below the quorum: two lists with one U1 cannot both be released (B5)', () => {
    expect(() => site(state, 30).maskPlan(deliveries.slice(0, 6))).toThrow(code('E_COHORT'));
  });

  it('refuses changed shares of the coordinator', () => {
    const changed = deliveries.map((m) => (m.from === 50 ? { ...m, cb: randomBytes(32) } : m));
    expect(() => site(state, 30).maskPlan(changed)).toThrow(code('E_SIG_R1'));
    const cut = deliveries.map((m) => (m.from === 50 ? { ...m, path: m.path.slice(1) } : m));
    expect(() => site(state, 30).maskPlan(cut)).toThrow(code('E_SIG_R1'));
  });

  it('signs one upload only', () => {
    const client = site(state, 30);
    const length = vectorLength(state.cohort.manifest);
    client.maskPlan(deliveries);
    expect(() => restarted(state.cohort, client, 30).commit(randomBytes(32), length + 1)).toThrow(
      code('E_STATE'),
    );
    client.commit(new Uint8Array(32), length);
    expect(() => client.commit(randomBytes(32), length)).toThrow(code('E_STATE'));
  });

  it('masks with another U2 only once', () => {
    const client = site(state, 30);
    client.maskPlan(deliveries);
    expect(() => client.maskPlan(deliveries.slice(0, 9))).toThrow(code('E_STATE'));
  });
});

describe('R3 and R4 at a site', () => {
  const state = at('r2', 10);
  const survivors = state.server.closeU3();

  it('refuses survivors that are too few, repeated, unsigned, or not in U2', () => {
    const tries: SurvivorEntry[][] = [
      survivors.slice(0, 6),
      [...survivors.slice(0, 9), survivors[0] as SurvivorEntry],
      survivors.map((s) => (s.id === 50 ? { ...s, root: randomBytes(32) } : s)),
      survivors.map((s) => (s.id === 50 ? { ...s, id: 51 } : s)),
    ];
    for (const list of tries) expect(() => site(state, 30).consistency(list)).toThrow(code('E_U3'));
  });

  it('holds the larger minimum of the plan, also after a restart', () => {
    const strict = runUntil(makeCohort(10), 'r2', {}, undefined, 9);
    const list = strict.server.closeU3();
    expect(() => site(strict, 30).consistency(list.slice(0, 8))).toThrow(/8 survivors, 9 are needed/);
    expect(() => site(strict, 30).consistency(list.slice(0, 9))).not.toThrow();
    expect(() => site(state, 30).consistency(survivors.slice(0, 7))).not.toThrow();
    expect(() => joinSite(makeCohort(5), 30, 6)).toThrow(code('E_POLICY'));
  });

  it('counts only contributors towards the minimum of the plan', () => {
    const roles = [10, 20, 30, 40, 50, 60].map((id) => ({
      id,
      role: id === 60 ? (1 as const) : (0 as const),
    }));
    const strict = runUntil(makeCohort(6, { roles }), 'r2', {}, undefined, 6);
    expect(() => site(strict, 30).consistency(strict.server.closeU3())).toThrow(
      /5 contributing survivors, 6 are needed/,
    );
  });

  it('refuses to be left out after its receipt, and to be put in without an upload', () => {
    expect(() => site(state, 30).consistency(survivors.filter(({ id }) => id !== 30))).toThrow(code('E_U3'));
    const silent = at('r2', 10, { upload: [40] });
    const list = silent.server.closeU3();
    const forged = { ...(list[0] as SurvivorEntry), id: 40 };
    expect(() => site(silent, 40).consistency([...list, forged])).toThrow(code('E_U3'));
    expect(() => site(silent, 40).consistency(list)).not.toThrow();
    expect(() =>
      site(silent, 40).commit(randomBytes(32), vectorLength(silent.cohort.manifest)),
    ).not.toThrow();
  });

  it('uploads nothing after the survivors were fixed without it', () => {
    const silent = at('r2', 10, { upload: [40] });
    const client = site(silent, 40);
    client.consistency(silent.server.closeU3());
    expect(() => client.commit(randomBytes(32), vectorLength(silent.cohort.manifest))).toThrow(
      code('E_STATE'),
    );
  });

  it('holds the cohort rule', () => {
    const sites = survivors.map(({ id }) => id);
    expect(() => site(state, 30).consistency(survivors, [sites.slice(1)])).toThrow(code('E_U3'));
    expect(() => site(state, 30).consistency(survivors, [sites, [7, 8]])).not.toThrow();
  });

  it('answers only when t members confirm its own view (B3)', () => {
    const split = at('r2', 10);
    const all = split.server.closeU3();
    const views = [all.slice(0, 8), all.slice(2)];
    const signatures = views.map((view) => view.map(({ id }) => site(split, id).consistency(view)));
    const client = site(split, 50);
    client.consistency(views[0]);
    expect(() => restarted(split.cohort, client, 50).unmask(signatures[1])).toThrow(code('E_CONSISTENCY'));
    const first = signatures[0] ?? [];
    expect(() =>
      restarted(split.cohort, client, 50).unmask([...first.slice(0, 6), ...first.slice(0, 6)]),
    ).toThrow(code('E_CONSISTENCY'));
    expect(() => client.unmask(first.slice(0, 7))).not.toThrow();
  });

  it('answers once, with one kind for each site, and never for another set (B4)', () => {
    const done = at('r3', 10, { upload: [40] });
    const client = site(done, 30);
    const answer = client.unmask(done.server.signatures());
    expect(answer.entries.map(({ about, kind }) => [about, kind])).toEqual(
      done.server.u2.map((id) => [id, id === 40 ? 1 : 0]),
    );
    expect(client.unmask(done.server.signatures())).toBe(answer);
    expect(() => client.consistency(done.server.closeU3().slice(1))).toThrow(code('E_STATE'));
    expect(() => client.unmask(done.server.signatures())).toThrow(code('E_STATE'));
  });

  it('keeps the order of the stages', () => {
    const fresh = (): SecAggClient => joinSite(state.cohort, 30);
    expect(() => fresh().maskPlan([])).toThrow(code('E_STATE'));
    expect(() => fresh().commit(new Uint8Array(32), 1)).toThrow(code('E_STATE'));
    expect(() => fresh().consistency(survivors)).toThrow(code('E_STATE'));
    expect(() => fresh().unmask([])).toThrow(code('E_STATE'));
    expect(() => fresh().confirmUpload()).toThrow(code('E_STATE'));
  });
});

describe('R0 at a site', () => {
  const cohort = makeCohort(5);
  const signed = (change: Partial<Manifest>) => {
    const manifest = { ...cohort.manifest, ...change };
    return { ...cohort, manifest, coordinatorSignature: signManifest(cohort.coordinatorSeed, manifest) };
  };

  it('refuses a manifest that the coordinator did not sign', () => {
    expect(() => joinSite({ ...cohort, manifest: { ...cohort.manifest, d: 701 } }, 30)).toThrow(
      code('E_SIG_MANIFEST'),
    );
  });

  it.each<[string, Partial<Manifest>, string]>([
    ['another roster', { rosterHash: randomBytes(32) }, 'E_ROSTER'],
    ['another federation', { federationId: 'fed_other' }, 'E_ROSTER'],
    ['a site outside the roster', { roles: [1, 2, 3, 4, 5].map((id) => ({ id, role: 0 })) }, 'E_ROSTER'],
    ['roles that miss a site', { roles: cohort.manifest.roles.slice(1) }, 'E_POLICY'],
    ['a tiny cohort', { nMin: 2 }, 'E_POLICY'],
    ['a Q that is no power of two', { Q: 1000 }, 'E_POLICY'],
    ['a vector that could wrap', { Q: 2 ** 29 }, 'E_RING_BOUND'],
    [
      'an extra that could wrap',
      { extras: [{ name: 'x', scale: 2 ** 20, min: 0, max: 2 ** 9 }] },
      'E_RING_BOUND',
    ],
    ['a statistic that could wrap', { ringBits: 64, fractionBits: 40, Q: 1, C: 2 ** 21 }, 'E_RING_BOUND'],
    ['noise that could wrap', { mechanism: 1, z: 8, Q: 2 ** 26 }, 'E_RING_BOUND'],
  ])('refuses %s', (_, change, expected) => {
    expect(() => joinSite(signed(change), 30)).toThrow(code(expected));
  });
});
