import { describe, expect, it } from '@jest/globals';
import { concatBytes, equalBytes, hex, randomBytes, rootOf, shamirSplit, u32 } from '../crypto/index.js';
import type { SecAggClient } from './client.js';
import { signTagged } from './hashing.js';
import { ctxOf } from './manifest.js';
import type { ShareKeys, UnmaskAnswer } from './messages.js';
import { dealShares } from './r1-deal.js';
import { finish, makeCohort, plainSum, runAttempt, runUntil } from './secagg.support.js';
import { MaskEngine } from './mask-engine.js';
import { SecAggServer } from './server.js';
import { hashOfAnswer, signTranscript, verifyChain } from './transcript.js';

const code = (name: string): unknown => expect.objectContaining({ code: name });

describe('a holder that lies', () => {
  const state = runUntil(makeCohort(6), 'r3');
  const { server, clients, cohort, vectors } = state;
  const answers = [...clients.values()].map((client) => client.unmask(server.signatures()));
  const signed = (answer: UnmaskAnswer): UnmaskAnswer => {
    const hash = hashOfAnswer(server.ctx, server.h3, answer.entries);
    const seed = cohort.seeds.get(answer.id) ?? new Uint8Array();
    return { ...answer, sig: signTagged(seed, server.ctx, 'R4', server.h3, u32(answer.id), hash) };
  };

  it('is named, and the sum comes from the others', () => {
    const [first, ...others] = answers as [UnmaskAnswer, ...UnmaskAnswer[]];
    const lie = signed({ ...first, entries: first.entries.map((e) => ({ ...e, share: randomBytes(32) })) });
    expect(() => server.addAnswer(lie)).toThrow(
      expect.objectContaining({ code: 'E_SHARE', details: { site: 10 } }),
    );
    expect(server.canUnmask()).toBe(false);
    others.forEach((answer) => server.addAnswer(answer));
    expect(server.canUnmask()).toBe(true);
    expect(hex(finish(state, new MaskEngine()).sum)).toBe(hex(plainSum([...vectors.values()], 32)));
  });

  it('cannot answer with the other kind, or for some sites only', () => {
    const first = answers[0] as UnmaskAnswer;
    const otherKind = signed({
      ...first,
      entries: first.entries.map((e, k) => (k === 2 ? { ...e, kind: 1 as const } : e)),
    });
    expect(() => server.addAnswer(otherKind)).toThrow(code('E_SIG_R4'));
    expect(() => server.addAnswer(signed({ ...first, entries: first.entries.slice(1) }))).toThrow(
      code('E_SIG_R4'),
    );
  });
});

describe('a dealer that lies', () => {
  /** Site 20 deals shares of something else than it commits to, or envelopes that do not open. */
  const dealt = (change: (honest: ShareKeys, client: SecAggClient, server: SecAggServer) => ShareKeys) => {
    const state = runUntil(makeCohort(6), 'r0');
    const keys = state.server.closeU1();
    for (const [id, client] of state.clients) {
      const message = client.shareKeys(keys);
      state.server.addShares(id === 20 ? change(message, client, state.server) : message);
    }
    state.server.closeU2();
    return state;
  };
  const resigned = (m: ShareKeys, server: SecAggServer): ShareKeys => {
    const seed = makeCohort(6).seeds.get(20) ?? new Uint8Array();
    return { ...m, sig: signTagged(seed, server.ctx, 'R1', server.h1, u32(20), m.cb, rootOf(m.leaves)) };
  };

  it('is named when its shares give something else than its commitment', () => {
    const state = dealt((honest, _, server) => resigned({ ...honest, cb: randomBytes(32) }, server));
    for (const [id, client] of state.clients) {
      client.maskPlan(state.server.deliveriesFor(id));
      state.server.addCommit(client.commit(new Uint8Array(32), state.cohort.manifest.d + 2));
    }
    const survivors = state.server.closeU3();
    for (const client of state.clients.values()) state.server.addConsistency(client.consistency(survivors));
    for (const client of state.clients.values())
      state.server.addAnswer(client.unmask(state.server.signatures()));
    expect(() => state.server.unmaskKeys()).toThrow(
      expect.objectContaining({ code: 'E_DEALER', details: { site: 20 } }),
    );
  });

  it('is complained about when an envelope does not open', () => {
    const state = dealt((honest, _, server) => {
      const keys = server.closeU1();
      const secrets = { cSk: randomBytes(32), sSk: randomBytes(32), b: randomBytes(32) };
      const seed = state0.cohort.seeds.get(20) ?? new Uint8Array();
      const { ctx, h1 } = server;
      return dealShares({ ctx, h1, id: 20, seed, secrets, keys, t: server.thresholds.t, random: randomBytes })
        .message;
    });
    const victim = state.clients.get(40) as SecAggClient;
    expect(() => victim.maskPlan(state.server.deliveriesFor(40))).toThrow(code('E_SHARE'));
    const complaint = victim.complaint();
    if (!complaint) throw new Error('no complaint');
    expect(complaint).toMatchObject({ id: 40, sender: 20 });
    state.server.addComplaint(complaint);
    state.server.addComplaint(complaint);
    expect(state.server.complaints).toHaveLength(1);
    expect(() => state.server.addComplaint({ ...complaint, digest: randomBytes(32) })).toThrow(
      code('E_SIG_R1'),
    );
  });

  it('is refused when leaf and envelope differ, or a receiver is left out', () => {
    expect(() => dealt((honest) => ({ ...honest, envelopes: honest.envelopes.slice(1) }))).toThrow(
      code('E_SHARE'),
    );
    expect(() =>
      dealt((honest) => ({ ...honest, leaves: honest.leaves.with(0, concatBytes(randomBytes(96))) })),
    ).toThrow(code('E_SHARE'));
  });
  const state0 = runUntil(makeCohort(6), 'r0');
});

describe('the coordinator', () => {
  it('takes every message twice, but never two different ones', () => {
    const { server, clients } = runUntil(makeCohort(6), 'r4');
    for (const client of clients.values()) {
      server.addAdvertise(client.advertise());
      server.addShares(client.shareKeys());
      server.addConsistency(client.consistency());
      server.addAnswer(client.unmask());
    }
    const client = clients.get(10) as SecAggClient;
    expect(() => server.addAdvertise({ ...client.advertise(), nonce: randomBytes(32) })).toThrow(
      code('E_STATE'),
    );
    expect(() => server.addConsistency({ id: 10, sig: randomBytes(64) })).toThrow(code('E_STATE'));
  });

  it('says which set is too small', () => {
    expect(() => runAttempt(makeCohort(5), { r0: [10] })).toThrow(/U1 has 4 sites, 5 are needed/);
    expect(() => runAttempt(makeCohort(5), { r1: [10] })).toThrow(/U2 has 4 sites, 5 are needed/);
    expect(() => runAttempt(makeCohort(5), { r2: [10, 20] })).toThrow(/U3 has 3 sites, 4 are needed/);
    expect(() => runAttempt(makeCohort(5), { r2: [10] })).not.toThrow();
  });

  it('chains closed and aborted attempts by its signature', () => {
    const { server, cohort } = (() => {
      const made = makeCohort(5);
      return { ...runAttempt(made), cohort: made };
    })();
    const { T } = server.transcript({ aggRoot: randomBytes(32), modelHash: randomBytes(32) });
    const link = {
      manifest: cohort.manifest,
      tag: 'CLOSE' as const,
      T,
      sig: signTranscript(cohort.coordinatorSeed, server.ctx, 'CLOSE', T),
    };
    const next = makeCohort(5, { prevTranscriptHash: T, attempt: 2 });
    const abort = new SecAggServer(next).abortTranscript('E_COHORT');
    const last = {
      manifest: next.manifest,
      tag: 'ABORT' as const,
      T: abort,
      sig: signTranscript(next.coordinatorSeed, ctxOf(next.manifest), 'ABORT', abort),
    };
    const key = cohort.roster.coordinatorKey;
    const from = cohort.manifest.prevTranscriptHash;
    expect(() => verifyChain(key, { from, to: abort, links: [link, last] })).not.toThrow();
    expect(() => verifyChain(key, { from, to: abort, links: [last] })).toThrow(code('E_FORK'));
    expect(() => verifyChain(key, { from, to: abort, links: [{ ...link, tag: 'ABORT' }, last] })).toThrow(
      code('E_FORK'),
    );
    expect(equalBytes(T, abort)).toBe(false);
  });

  it('never sees t shares of both kinds: fewer than t open nothing', () => {
    const secret = randomBytes(32);
    expect(shamirSplit(secret, 4, 5).some((share) => equalBytes(share, secret))).toBe(false);
  });
});
