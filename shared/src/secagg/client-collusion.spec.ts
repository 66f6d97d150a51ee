import { describe, expect, it } from '@jest/globals';
import { boxKeyPair, randomBytes, u32 } from '../crypto/index.js';
import { SecAggClient } from './client.js';
import { decodeState } from './client-state.js';
import { signTagged } from './hashing.js';
import { ctxOf, signManifest, vectorLength, type Manifest } from './manifest.js';
import type { AdvertiseKeys, SurvivorEntry } from './messages.js';
import { joinSite, makeCohort, restarted, runUntil, type AttemptState } from './secagg.support.js';

const refused = (name: string, words = ''): unknown =>
  expect.objectContaining({ code: name, message: expect.stringContaining(words) as unknown });
const seedOf = ({ cohort }: Pick<AttemptState, 'cohort'>, id: number): Uint8Array =>
  cohort.seeds.get(id) ?? new Uint8Array();
const site = (state: AttemptState, id: number): SecAggClient => {
  const client = state.clients.get(id);
  if (!client) throw new Error('no site');
  return restarted(state.cohort, client, id);
};

describe('U1 with members that collude', () => {
  const state = runUntil(makeCohort(8), 'r0');
  const keys = state.server.closeU1();
  const ctx = ctxOf(state.cohort.manifest);
  const resigned = (entry: AdvertiseKeys, change: Partial<AdvertiseKeys>): AdvertiseKeys => {
    const m = { ...entry, ...change };
    const sig = signTagged(seedOf(state, m.id), ctx, 'R0', u32(m.id), m.cPk, m.sPk, m.nonce);
    return { ...m, sig };
  };

  it('has no member of the roster that the plan does not name', () => {
    const wide = makeCohort(8);
    const manifest = { ...wide.manifest, N: 7, roles: wide.manifest.roles.slice(0, 7) };
    const narrow = {
      ...wide,
      manifest,
      coordinatorSignature: signManifest(wide.coordinatorSeed, manifest),
    };
    const all = runUntil({ ...narrow, seeds: new Map([...wide.seeds].slice(0, 7)) }, 'r0');
    const list = all.server.closeU1();
    const [cPk, sPk, nonce] = [boxKeyPair().publicKey, boxKeyPair().publicKey, randomBytes(32)];
    const sig = signTagged(seedOf(state, 80), ctxOf(manifest), 'R0', u32(80), cPk, sPk, nonce);
    const outsider = { id: 80, cPk, sPk, nonce, sig };
    expect(() => site(all, 10).shareKeys([...list.slice(0, 6), outsider])).toThrow(
      refused('E_ROSTER', 'not named in the plan'),
    );
    expect(() => joinSite(narrow, 80)).toThrow(refused('E_ROSTER', 'no role'));
  });

  it('has every site once, and no more sites than the plan', () => {
    expect(() => site(state, 10).shareKeys([...keys.slice(0, 7), keys[0] as AdvertiseKeys])).toThrow(
      refused('E_ROSTER', 'twice'),
    );
    expect(() => site(state, 10).shareKeys([...keys, keys[1] as AdvertiseKeys])).toThrow(
      refused('E_COHORT', 'U1 has 9 of 8'),
    );
  });

  it('has the site itself, with each of its own keys', () => {
    const others = keys.filter(({ id }) => id !== 10);
    const client = site(state, 10);
    expect(() => client.shareKeys(others)).toThrow(refused('E_STATE', 'not in U1'));
    expect(client.ended).toBe('E_STATE');
    const own = keys[0] as AdvertiseKeys;
    for (const change of [
      { cPk: boxKeyPair().publicKey },
      { sPk: boxKeyPair().publicKey },
      { nonce: randomBytes(32) },
    ])
      expect(() => site(state, 10).shareKeys([resigned(own, change), ...others])).toThrow(
        refused('E_SIG_R0', 'the own keys were replaced'),
      );
  });

  it('is taken in any order, and again without being shown', () => {
    const client = site(state, 10);
    const message = client.shareKeys(keys.toReversed());
    expect(client.shareKeys(keys)).toBe(message);
    expect(client.shareKeys()).toBe(message);
    expect(() => site(state, 20).shareKeys()).toThrow(refused('E_STATE', 'no U1'));
  });
});

describe('U2 with members that collude', () => {
  const state = runUntil(makeCohort(8), 'r1', { r0: [80] });
  state.server.closeU2();
  const deliveries = state.server.deliveriesFor(10);

  it('has every dealer once, out of U1, and the site itself', () => {
    const tries = [
      [...deliveries.slice(0, 6), deliveries[1]],
      [...deliveries.slice(0, 6), { ...deliveries[6], from: 80 }],
      deliveries.slice(1),
    ] as (typeof deliveries)[];
    for (const list of tries) {
      const client = site(state, 10);
      expect(() => client.maskPlan(list)).toThrow(refused('E_STATE', 'contradiction'));
      expect(client.ended).toBe('E_STATE');
    }
    expect(() => site(state, 10).maskPlan(deliveries.toReversed())).not.toThrow();
  });

  it('is asked for after U1 only', () => {
    const fresh = joinSite(state.cohort, 10);
    expect(() => fresh.maskPlan(deliveries)).toThrow(refused('E_STATE', 'shares before keys'));
    expect(fresh.ended).toBeUndefined();
    expect(() => site(state, 10).maskPlan()).toThrow(refused('E_STATE', 'no U2'));
  });
});

describe('U3 with members that collude', () => {
  const state = runUntil(makeCohort(10), 'r2', { r1: [100] });
  const { server } = state;
  const survivors = server.closeU3();
  const length = vectorLength(server.manifest);
  const signedUpload = (id: number, root = randomBytes(32)): SurvivorEntry => {
    const sig = signTagged(seedOf(state, id), server.ctx, 'R2', server.h2, u32(id), u32(length), root);
    return { id, root, sig };
  };

  it('has no member of U1 that is not in U2, though it signs an upload', () => {
    expect(() => site(state, 10).consistency([...survivors, signedUpload(100)])).toThrow(
      refused('E_U3', 'not in U2'),
    );
  });

  it('has the upload that the site signed in this life, and not one that it signed in another', () => {
    const list = survivors.map((entry) => (entry.id === 10 ? signedUpload(10) : entry));
    expect(() => site(state, 10).consistency(list)).toThrow(refused('E_U3', 'the own upload was replaced'));
    const silent = runUntil(makeCohort(10), 'r2', { upload: [10] });
    const others = silent.server.closeU3();
    const forgotten = site(silent, 10).commit(randomBytes(32), length);
    expect(() => site(silent, 10).consistency([...others, forgotten])).toThrow(
      refused('E_U3', 'the own upload was replaced'),
    );
  });

  it('may miss a site that has no receipt', () => {
    const client = site(runUntil(makeCohort(10), 'r2', { upload: [10] }), 10);
    expect(() => client.consistency()).toThrow(refused('E_STATE', 'no survivors'));
    expect(() => client.unmask([])).toThrow(refused('E_STATE', 'an answer before the survivors'));
    const early = joinSite(makeCohort(10), 10);
    expect(() => early.consistency(survivors)).toThrow(refused('E_STATE', 'survivors before shares'));
    const lost = runUntil(makeCohort(10), 'r2', { upload: [10] });
    const unsure = site(lost, 10);
    unsure.commit(randomBytes(32), length);
    expect(() => unsure.consistency(lost.server.closeU3())).not.toThrow();
  });

  it('is confirmed by members of U2 only', () => {
    const signatures = survivors.slice(0, 6).map(({ id }) => site(state, id).consistency(survivors));
    const client = site(state, 10);
    client.consistency(survivors);
    const from = (id: number) => ({
      id,
      sig: signTagged(seedOf(state, id), server.ctx, 'R3', client.h3(), u32(id)),
    });
    expect(client.releasedContributors()).toEqual(survivors.map(({ id }) => id));
    expect(() => restarted(state.cohort, client, 10).unmask([...signatures, from(100)])).toThrow(
      refused('E_CONSISTENCY', '6 sites confirm the survivors, 7 are needed'),
    );
    expect(() => restarted(state.cohort, client, 10).unmask([...signatures, from(70)])).not.toThrow();
    expect(() => restarted(state.cohort, client, 10).unmask()).toThrow(
      refused('E_STATE', 'before the survivors'),
    );
  });
});

describe('secrets of a site', () => {
  it.each(['r0', 'r1', 'r2', 'r3'] as const)('are zero after the end of an attempt at %s', (stage) => {
    const client = site(runUntil(makeCohort(5), stage), 30);
    const secretsOf = (): Uint8Array[] => {
      const { secrets, own, inbox } = decodeState(client.snapshot());
      const opened = [...(own ? [own] : []), ...(inbox?.opened ?? [])];
      return [...[secrets.cSk, secrets.sSk, secrets.b], ...opened.flatMap((o) => [o.sb, o.ss, o.rb, o.rs])];
    };
    const before = secretsOf();
    expect(before).toHaveLength({ r0: 3, r1: 7, r2: 27, r3: 27 }[stage]);
    for (const secret of before) expect(secret.some((byte) => byte !== 0)).toBe(true);
    client.close();
    expect(secretsOf()).toHaveLength(before.length);
    for (const secret of secretsOf()) expect([...secret]).toEqual(Array(secret.length).fill(0));
  });

  it('keep the first reason of an end', () => {
    const client = site(runUntil(makeCohort(5), 'r0'), 30);
    expect(() => client.shareKeys([])).toThrow(refused('E_COHORT'));
    client.close();
    expect(client.ended).toBe('E_COHORT');
    expect(() => client.advertise()).toThrow(refused('E_STATE', 'the attempt ended (E_COHORT)'));
  });

  it('that a dealer made for others are wiped once they are sealed', () => {
    const drawn: Uint8Array[] = [];
    const random = (length: number): Uint8Array => {
      const bytes = randomBytes(length);
      drawn.push(bytes);
      return bytes;
    };
    const cohort = makeCohort(5);
    const { roster } = cohort;
    const state = runUntil(cohort, 'r0');
    const client = state.clients.get(30);
    if (!client) throw new Error('no site');
    const seed = seedOf(state, 30);
    SecAggClient.restore(client.snapshot(), { roster, seed, random }).shareKeys(state.server.closeU1());
    const openings = drawn.filter(({ length }) => length === 16);
    const zero = openings.filter((bytes) => bytes.every((byte) => byte === 0));
    expect([openings.length, zero.length]).toEqual([10, 8]);
  });
});

describe('what a site expects of a manifest', () => {
  it('is checked before it has any key', () => {
    const { manifest, coordinatorSignature, roster, seeds } = makeCohort(5);
    const input = { manifest, coordinatorSignature, roster, id: 30, seed: seeds.get(30) ?? new Uint8Array() };
    const { modelHash } = manifest;
    const join = (fields: Partial<Manifest>) => (): unknown =>
      SecAggClient.join({ ...input, expectation: { fields } });
    expect(join({ modelHash: randomBytes(32) })).toThrow(refused('E_MODEL'));
    expect(join({ modelHash })).not.toThrow();
  });
});

describe('the minimum that a plan demands', () => {
  it('is a count of its sites', () => {
    const cohort = makeCohort(5);
    for (const bad of [-1, 1.5, 6, NaN])
      expect(() => joinSite(cohort, 30, bad)).toThrow(refused('E_POLICY', 'cannot be demanded'));
    for (const good of [0, 5]) expect(() => joinSite(cohort, 30, good)).not.toThrow();
  });
});
