import { describe, expect, it } from '@jest/globals';
import {
  boxBefore,
  boxKeyPair,
  concatBytes,
  inclusionPaths,
  leafHashOf,
  randomBytes,
  rootOf,
  secretboxSeal,
  u32,
} from '../crypto/index.js';
import { signTagged } from './hashing.js';
import { ctxOf } from './manifest.js';
import type { ShareDelivery } from './messages.js';
import { envelopeKey, type OpenedShares } from './r1-deal.js';
import { openDelivery, type OpenInput } from './r2-open.js';
import { makeCohort } from './secagg.support.js';
import { envelopeDigest, shareDigest } from './transcript.js';

const cohort = makeCohort(5);
const ctx = ctxOf(cohort.manifest);
const h1 = randomBytes(32);
const [DEALER, HOLDER] = [20, 30];
const channels = new Map([...cohort.seeds.keys()].map((id) => [id, boxKeyPair()]));
const channelOf = (id: number) => channels.get(id) ?? boxKeyPair();
const keys = [...cohort.seeds.keys()].map((id) => ({
  ...{ id, cPk: channelOf(id).publicKey, sPk: randomBytes(32) },
  ...{ nonce: randomBytes(32), sig: new Uint8Array(64) },
}));
const shares = (from: number): OpenedShares => ({
  ...{ from, sb: randomBytes(32), ss: randomBytes(32) },
  ...{ rb: randomBytes(16), rs: randomBytes(16) },
});
const input = (own = shares(HOLDER)): OpenInput => ({
  ...{ ctx, h1, id: HOLDER, cSk: channelOf(HOLDER).secretKey, roster: cohort.roster, keys, own },
});
const code = (name: string): unknown => expect.objectContaining({ code: name });

/** What a dealer makes of shares for the holder, and signs; it may lie at every step. */
function dealt(
  o: OpenedShares,
  lie: { plain?: Uint8Array; envelope?: Uint8Array; dB?: Uint8Array; dS?: Uint8Array } = {},
): ShareDelivery {
  const { from } = o;
  const key = envelopeKey(
    ctx,
    h1,
    from,
    HOLDER,
    boxBefore(channelOf(HOLDER).publicKey, channelOf(from).secretKey),
  );
  const plain = lie.plain ?? concatBytes(o.sb, o.ss, o.rb, o.rs);
  const sealed = from === HOLDER ? new Uint8Array() : secretboxSeal(plain, new Uint8Array(24), key);
  const envelope = lie.envelope ?? sealed;
  const digest = (kind: 0 | 1, share: Uint8Array, r: Uint8Array): Uint8Array =>
    shareDigest(ctx, h1, { kind, dealer: from, holder: HOLDER, share, r });
  const [dB, dS] = [lie.dB ?? digest(0, o.sb, o.rb), lie.dS ?? digest(1, o.ss, o.rs)];
  const rank = keys.findIndex(({ id }) => id === HOLDER);
  const leaves = keys.map((_, k) =>
    k === rank ? concatBytes(envelopeDigest(envelope), dB, dS) : randomBytes(96),
  );
  const [root, cb] = [rootOf(leaves), randomBytes(32)];
  const seed = cohort.seeds.get(from) ?? new Uint8Array();
  const sig = signTagged(seed, ctx, 'R1', h1, u32(from), cb, root);
  return { from, cb, root, sig, envelope, dB, dS, path: inclusionPaths(leaves.map(leafHashOf))[rank] ?? [] };
}

describe('a delivery', () => {
  it('opens to what the dealer dealt', () => {
    const o = shares(DEALER);
    expect(openDelivery(input(), dealt(o))).toEqual(o);
    const own = shares(HOLDER);
    expect(openDelivery(input(own), dealt(own))).toBe(own);
  });

  it('is signed by its dealer over these keys', () => {
    const good = dealt(shares(DEALER));
    expect(() => openDelivery(input(), { ...good, cb: randomBytes(32) })).toThrow(code('E_SIG_R1'));
    expect(() => openDelivery({ ...input(), h1: randomBytes(32) }, good)).toThrow(code('E_SIG_R1'));
    expect(() => openDelivery(input(), { ...good, dB: randomBytes(32) })).toThrow(code('E_SIG_R1'));
    expect(() => openDelivery(input(), { ...good, path: good.path.slice(1) })).toThrow(code('E_SIG_R1'));
    expect(() => openDelivery({ ...input(), id: 40 }, good)).toThrow(code('E_SIG_R1'));
  });

  it('is complained about when the dealer signed a digest of something else, of either share', () => {
    const o = shares(DEALER);
    for (const lie of [{ dB: randomBytes(32) }, { dS: randomBytes(32) }])
      expect(() => openDelivery(input(), dealt(o, lie))).toThrow(
        expect.objectContaining({ code: 'E_SHARE', sender: DEALER }),
      );
  });

  it('is complained about when the signed envelope is missing, too long, or does not open', () => {
    const o = shares(DEALER);
    for (const envelope of [new Uint8Array(), randomBytes(112)])
      expect(() => openDelivery(input(), dealt(o, { envelope }))).toThrow(
        expect.objectContaining({ code: 'E_SHARE', sender: DEALER, envelope }),
      );
    // sealed well, with an opening that is longer than an answer can carry
    const long = { ...o, rs: randomBytes(20) };
    expect(() => openDelivery(input(), dealt(long))).toThrow(code('E_SHARE'));
  });

  it('has no envelope from the site to itself', () => {
    const own = shares(HOLDER);
    expect(() => openDelivery(input(own), dealt(own, { envelope: randomBytes(112) }))).toThrow(
      code('E_SHARE'),
    );
  });

  it('comes from a member of U1', () => {
    const list = keys.filter(({ id }) => id !== DEALER);
    const o = shares(DEALER);
    const m = dealt(o);
    // the tree of a smaller U1, in which the holder has another rank
    const rank = list.findIndex(({ id }) => id === HOLDER);
    const leaf = concatBytes(envelopeDigest(m.envelope), m.dB, m.dS);
    const leaves = list.map((_, k) => (k === rank ? leaf : randomBytes(96)));
    const root = rootOf(leaves);
    const sig = signTagged(
      cohort.seeds.get(DEALER) ?? new Uint8Array(),
      ctx,
      'R1',
      h1,
      u32(DEALER),
      m.cb,
      root,
    );
    const path = inclusionPaths(leaves.map(leafHashOf))[rank] ?? [];
    expect(() => openDelivery({ ...input(), keys: list }, { ...m, root, sig, path })).toThrow(
      code('E_COHORT'),
    );
  });
});
