import { describe, expect, it } from '@jest/globals';
import { boxKeyPair, concatBytes, hex, randomBytes, rootOf, sha256, u32 } from '../crypto/index.js';
import { signTagged } from './hashing.js';
import { ENVELOPE_BYTES, type Complaint, type ShareKeys } from './messages.js';
import { makeCohort, runUntil } from './secagg.support.js';
import { SecAggServer } from './server.js';
import { reveal } from './server-unmask.js';
import { byId, envelopeDigest } from './transcript.js';

const DEALER = 20;
const refused = (name: string, words = ''): unknown =>
  expect.objectContaining({ code: name, message: expect.stringContaining(words) as unknown });
const seedOf = (id: number): Uint8Array => makeCohort(6).seeds.get(id) ?? new Uint8Array();

describe('shares that a dealer signed, but not for all of U1', () => {
  const { server, clients } = runUntil(makeCohort(6), 'r0');
  const honest = clients.get(DEALER)?.shareKeys(server.closeU1());
  if (!honest) throw new Error('no dealer');
  const signed = (change: Partial<ShareKeys>): ShareKeys => {
    const m = { ...honest, ...change };
    const fields = [server.h1, u32(DEALER), m.cb, rootOf(m.leaves)];
    return { ...m, sig: signTagged(seedOf(DEALER), server.ctx, 'R1', ...fields) };
  };
  /** the leaf of rank k for another envelope */
  const leafFor = (k: number, envelope: Uint8Array): Uint8Array =>
    concatBytes(envelopeDigest(envelope), (honest.leaves[k] ?? randomBytes(96)).slice(32));
  const withEnvelope = (k: number, envelope: Uint8Array): Partial<ShareKeys> => ({
    envelopes: honest.envelopes.with(k, envelope),
    leaves: honest.leaves.with(k, leafFor(k, envelope)),
  });

  it.each<[string, Partial<ShareKeys>]>([
    ['one leaf too many', { leaves: [...honest.leaves, randomBytes(96)] }],
    ['one leaf too few', { leaves: honest.leaves.slice(0, 5) }],
    ['one envelope too many', { envelopes: [...honest.envelopes, new Uint8Array()] }],
    ['one envelope too few', { envelopes: honest.envelopes.slice(0, 5) }],
    ['an envelope to itself', withEnvelope(1, randomBytes(ENVELOPE_BYTES))],
    ['no envelope to another site', withEnvelope(2, new Uint8Array())],
    ['an envelope of another size', withEnvelope(2, randomBytes(ENVELOPE_BYTES + 1))],
    [
      'another envelope than its leaf says',
      { envelopes: honest.envelopes.with(2, randomBytes(ENVELOPE_BYTES)) },
    ],
    [
      'a leaf of another size',
      { leaves: honest.leaves.with(2, concatBytes(honest.leaves[2] ?? new Uint8Array(), u32(0))) },
    ],
  ])('are refused: %s', (_, change) => {
    expect(() => server.addShares(signed(change))).toThrow(refused('E_SHARE', 'did not deal to all of U1'));
  });

  it('are taken when they are whole', () => {
    server.addShares(signed({}));
    expect(server.u2).toEqual([DEALER]);
  });
});

describe('a complaint at the coordinator', () => {
  const { server } = runUntil(makeCohort(6), 'r2', { r1: [60] });
  const envelopeOf = (from: number, to: number): Uint8Array =>
    server.deliveriesFor(to).find((m) => m.from === from)?.envelope ?? new Uint8Array();
  const complaint = (id: number, sender: number, envelope = envelopeOf(sender, id)): Complaint => {
    const digest = sha256(envelope);
    const fields = [server.h1, u32(sender), digest];
    return { id, sender, digest, sig: signTagged(seedOf(id), server.ctx, 'CMP', ...fields) };
  };

  it('is signed by a member, about an envelope that was sent to it', () => {
    const good = complaint(10, DEALER);
    for (const bad of [
      { ...good, sig: randomBytes(64) },
      { ...good, sender: 30 },
      complaint(10, DEALER, envelopeOf(30, 10)),
      complaint(10, 60, randomBytes(ENVELOPE_BYTES)),
    ])
      expect(() => server.addComplaint(bad)).toThrow(refused('E_SIG_R1', 'does not hold'));
    expect(server.complaints).toEqual([]);
  });

  it('is one dispute between two sites, however often it comes', () => {
    const all = [complaint(10, DEALER), complaint(10, 30), complaint(40, DEALER), complaint(10, DEALER)];
    all.forEach((m) => server.addComplaint(m));
    expect(server.complaints.map(({ id, sender }) => [id, sender])).toEqual([
      [10, DEALER],
      [10, 30],
      [40, DEALER],
    ]);
  });
});

describe('the answers at the coordinator', () => {
  it('open what is left of a dropped site, and prove nothing against it', () => {
    const { server } = runUntil(makeCohort(6), 'r4', { upload: [DEALER] });
    expect(server.unmaskKeys().revealed.maskSecrets.map(({ id }) => id)).toEqual([DEALER]);
    expect(server.dealerProof(DEALER)).toBeUndefined();
    expect(server.dealerProof(70)).toBeUndefined();
    const again = new SecAggServer({ manifest: server.manifest, roster: makeCohort(6).roster });
    expect(() => again.dealerProof(DEALER)).toThrow(refused('E_STATE', 'too few answers'));
    const T = (responders?: number[]): string =>
      hex(
        server.transcript({
          ...{ aggRoot: new Uint8Array(32), modelHash: new Uint8Array(32) },
          ...(responders ? { responders } : {}),
        }).T,
      );
    expect(T()).toBe(T([10, 20, 30, 40, 50]));
    expect(T()).not.toBe(T([20, 30, 40, 50, 60]));
  });

  it('name a dropped site whose shares give another mask key', () => {
    const { server, clients } = runUntil(makeCohort(6), 'r4', { upload: [DEALER] });
    const answers = [...clients.values()].slice(0, server.thresholds.t).map((client) => client.unmask());
    const keys = byId([...clients.values()].map((client) => client.advertise()));
    const shares = new Map([...clients].map(([id, client]) => [id, client.shareKeys()]));
    expect(() => reveal({ ctx: server.ctx, keys, shares, answers })).not.toThrow();
    const replaced = keys.map((entry) =>
      entry.id === DEALER ? { ...entry, sPk: boxKeyPair().publicKey } : entry,
    );
    expect(() => reveal({ ctx: server.ctx, keys: replaced, shares, answers })).toThrow(
      expect.objectContaining({ code: 'E_DEALER', details: { site: DEALER } }),
    );
  });
});
