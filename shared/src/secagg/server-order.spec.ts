import { describe, expect, it } from '@jest/globals';
import { boxKeyPair, hex, randomBytes, u32 } from '../crypto/index.js';
import type { SecAggClient } from './client.js';
import { signTagged } from './hashing.js';
import { vectorLength } from './manifest.js';
import type { AdvertiseKeys } from './messages.js';
import { joinSite, makeCohort, runAttempt, runUntil, type AttemptState } from './secagg.support.js';
import { SecAggServer } from './server.js';
import { abortTranscript, hashOfAnswer } from './transcript.js';

const refused = (name: string, words = ''): unknown =>
  expect.objectContaining({ code: name, message: expect.stringContaining(words) as unknown });
const site = ({ clients }: AttemptState, id: number): SecAggClient => {
  const client = clients.get(id);
  if (!client) throw new Error('no site');
  return client;
};
const seedOf = ({ cohort }: AttemptState, id: number): Uint8Array => cohort.seeds.get(id) ?? new Uint8Array();
const commitOf = (state: AttemptState, id: number) =>
  site(state, id).commit(randomBytes(32), vectorLength(state.cohort.manifest));

describe('the order of the stages at the coordinator', () => {
  it('knows no hash before its set is fixed', () => {
    const { server } = runUntil(makeCohort(6), 'r0');
    expect(() => server.h1).toThrow(refused('E_STATE', 'U1 is open'));
    expect(() => server.closeU2()).toThrow(refused('E_STATE', 'U1 is open'));
    server.closeU1();
    expect(server.h1).toHaveLength(32);
    expect(() => server.h2).toThrow(refused('E_STATE', 'U2 is open'));
    expect(() => server.closeU3()).toThrow(refused('E_STATE', 'U2 is open'));
    const { server: later } = runUntil(makeCohort(6), 'r2');
    expect(() => later.h3).toThrow(refused('E_STATE', 'U3 is open'));
    later.closeU3();
    expect(later.h3).toHaveLength(32);
  });

  it('takes keys until U1 is fixed', () => {
    const state = runUntil(makeCohort(6), 'r0', { r0: [60] });
    state.server.closeU1();
    expect(() => state.server.addAdvertise(site(state, 60).advertise())).toThrow(
      refused('E_STATE', 'U1 is fixed'),
    );
    expect(state.server.u1).toEqual([10, 20, 30, 40, 50]);
  });

  it('takes shares between U1 and U2, of members of U1', () => {
    const state = runUntil(makeCohort(6), 'r1', { r1: [60] });
    const keys = state.server.closeU1();
    const early = new SecAggServer(state.cohort);
    keys.forEach((m) => early.addAdvertise(m));
    expect(() => early.addShares(site(state, 10).shareKeys())).toThrow(refused('E_STATE', 'outside R1'));
    const stranger = { ...site(state, 10).shareKeys(), id: 70 };
    expect(() => state.server.addShares(stranger)).toThrow(refused('E_STATE', 'outside R1'));
    const late = site(state, 60).shareKeys(keys);
    expect(() => state.server.deliveriesFor(10)).toThrow(refused('E_STATE', 'no deliveries'));
    state.server.closeU2();
    expect(() => state.server.addShares(late)).toThrow(refused('E_STATE', 'outside R1'));
    expect(() => state.server.deliveriesFor(60)).toThrow(refused('E_STATE', 'no deliveries'));
    expect(state.server.u2).toEqual([10, 20, 30, 40, 50]);
  });

  it('takes uploads between U2 and U3, of members of U2', () => {
    const state = runUntil(makeCohort(8), 'r1', { r1: [80] });
    const { server } = state;
    const early = {
      id: 10,
      length: vectorLength(server.manifest),
      root: randomBytes(32),
      sig: randomBytes(64),
    };
    expect(() => server.addCommit(early)).toThrow(refused('E_STATE', 'outside R2'));
    for (const id of server.closeU2()) site(state, id).maskPlan(server.deliveriesFor(id));
    const signed = (id: number, length: number) => {
      const root = randomBytes(32);
      const fields = [server.h2, u32(id), u32(length), root];
      return { id, length, root, sig: signTagged(seedOf(state, id), server.ctx, 'R2', ...fields) };
    };
    const length = vectorLength(server.manifest);
    expect(() => server.addCommit(signed(80, length))).toThrow(refused('E_STATE', 'outside R2'));
    expect(() => server.addCommit(signed(10, length + 1))).toThrow(refused('E_SIG_R2', 'elements'));
    for (const id of server.u2.slice(0, 6)) server.addCommit(commitOf(state, id));
    server.closeU3();
    expect(() => server.addCommit(commitOf(state, 70))).toThrow(refused('E_STATE', 'outside R2'));
    expect(server.u3).toEqual([10, 20, 30, 40, 50, 60]);
    expect(server.dropped).toEqual([70]);
  });

  it('takes confirmations, answers and complaints once their question was asked', () => {
    const state = runUntil(makeCohort(6), 'r2');
    const sig = randomBytes(64);
    expect(() => state.server.addConsistency({ id: 10, sig })).toThrow(refused('E_STATE', 'before U3'));
    expect(() => state.server.addAnswer({ id: 10, entries: [], sig })).toThrow(
      refused('E_STATE', 'before U3'),
    );
    const open = runUntil(makeCohort(6), 'r1');
    expect(() => open.server.addComplaint({ id: 10, sender: 20, digest: sig.slice(0, 32), sig })).toThrow(
      refused('E_STATE', 'before R2'),
    );
  });

  it('asks for answers at t confirmations, and opens with t answers', () => {
    const state = runUntil(makeCohort(6), 'r2');
    const { server } = state;
    const survivors = server.closeU3();
    expect(server.thresholds.t).toBe(5);
    const some = [...state.clients.values()];
    some.slice(0, 4).forEach((client) => server.addConsistency(client.consistency(survivors)));
    expect(server.canRequestUnmask()).toBe(false);
    some.slice(4, 5).forEach((client) => server.addConsistency(client.consistency(survivors)));
    expect(server.canRequestUnmask()).toBe(true);
    some.slice(5).forEach((client) => server.addConsistency(client.consistency(survivors)));
    some.slice(0, 4).forEach((client) => server.addAnswer(client.unmask(server.signatures())));
    expect(server.canUnmask()).toBe(false);
    expect(() => server.unmaskKeys()).toThrow(refused('E_STATE', 'too few answers'));
    some.slice(4, 5).forEach((client) => server.addAnswer(client.unmask(server.signatures())));
    expect(server.canUnmask()).toBe(true);
    some.slice(5).forEach((client) => server.addAnswer(client.unmask(server.signatures())));
    expect(() => server.unmaskKeys([10, 20, 30, 40])).toThrow(refused('E_STATE', 'too few answers'));
    expect(() => server.unmaskKeys([10, 20, 30, 40, 50, 70])).toThrow(refused('E_STATE', 'too few answers'));
    expect(() => server.unmaskKeys([10, 20, 30, 40, 10])).toThrow(refused('E_STATE', 'too few answers'));
    expect(server.unmaskKeys().responders).toEqual([10, 20, 30, 40, 50]);
  });

  it('changes no fixed set when it is closed again', () => {
    const { server } = runAttempt(makeCohort(6));
    const before = hex(server.h3);
    server.closeU1();
    server.closeU2();
    server.closeU3();
    expect(hex(server.h3)).toBe(before);
  });
});

describe('keys at the coordinator', () => {
  const cohort = makeCohort(6);
  const signedKeys = (server: SecAggServer, id: number, change: Partial<AdvertiseKeys>): AdvertiseKeys => {
    const m = { ...joinSite(cohort, id).advertise(), ...change };
    const seed = cohort.seeds.get(id) ?? new Uint8Array();
    return { ...m, sig: signTagged(seed, server.ctx, 'R0', u32(id), m.cPk, m.sPk, m.nonce) };
  };

  it('are of sites that the plan names', () => {
    const roles = cohort.manifest.roles.slice(0, 5);
    const narrow = makeCohort(6, { roles, N: 5 });
    const outsider = joinSite(
      { ...narrow, manifest: makeCohort(6).manifest, coordinatorSignature: cohort.coordinatorSignature },
      60,
    );
    expect(() => new SecAggServer(narrow).addAdvertise(outsider.advertise())).toThrow(
      refused('E_ROSTER', 'not named in the plan'),
    );
  });

  it('are signed, of full order and seen once', () => {
    const server = new SecAggServer(cohort);
    const first = signedKeys(server, 10, {});
    server.addAdvertise(first);
    const { publicKey } = boxKeyPair();
    for (const change of [{ cPk: first.sPk }, { sPk: first.cPk }, { cPk: publicKey, sPk: publicKey }])
      expect(() => server.addAdvertise(signedKeys(server, 20, change))).toThrow(
        refused('E_LOW_ORDER', 'repeats'),
      );
    for (const change of [{ cPk: new Uint8Array(32) }, { sPk: new Uint8Array(32) }])
      expect(() => server.addAdvertise(signedKeys(server, 20, change))).toThrow(refused('E_LOW_ORDER'));
    expect(server.u1).toEqual([10]);
  });
});

describe('the end of an aborted attempt', () => {
  it('names the hash that was fixed last', () => {
    const cohort = makeCohort(6);
    const expectLast = ({ server }: AttemptState, last: Uint8Array): void =>
      expect(hex(server.abortTranscript('E_COHORT'))).toBe(
        hex(abortTranscript(server.ctx, 'E_COHORT', last)),
      );
    const state = runUntil(cohort, 'r0');
    expectLast(state, new Uint8Array(32));
    state.server.closeU1();
    expectLast(state, state.server.h1);
    const uploaded = runUntil(cohort, 'r2');
    expectLast(uploaded, uploaded.server.h2);
    uploaded.server.closeU3();
    expectLast(uploaded, uploaded.server.h3);
  });
});

describe('an answer at the coordinator', () => {
  const state = runUntil(makeCohort(8), 'r3', { r1: [80], upload: [20] });
  const { server } = state;
  const signed = (id: number, entries: Parameters<typeof hashOfAnswer>[2]) => {
    const fields = [server.h3, u32(id), hashOfAnswer(server.ctx, server.h3, entries)];
    return { id, entries, sig: signTagged(seedOf(state, id), server.ctx, 'R4', ...fields) };
  };
  const { entries } = site(state, 10).unmask(server.signatures());

  it('comes from U2', () => {
    expect(() => server.addAnswer(signed(80, entries))).toThrow(refused('E_SIG_R4', 'outside U2'));
  });

  it('holds one share for each member, no more', () => {
    const more = [...entries, ...entries.slice(0, 1)];
    expect(() => server.addAnswer(signed(10, more))).toThrow(refused('E_SIG_R4', 'one share'));
    expect(() => server.addAnswer(signed(10, entries.toReversed()))).toThrow(
      refused('E_SIG_R4', 'one share'),
    );
    expect(() => server.addAnswer(signed(10, entries))).not.toThrow();
  });

  it('is about survivors counted by those of U2 only', () => {
    const sig = signTagged(seedOf(state, 80), server.ctx, 'R3', server.h3, u32(80));
    expect(() => server.addConsistency({ id: 80, sig })).toThrow(refused('E_SIG_R3'));
  });
});
