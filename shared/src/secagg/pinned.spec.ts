import { describe, expect, it } from '@jest/globals';
import { hex, fromHex, MerkleHasher, sha256, u32, utf8 } from '../crypto/index.js';
import { deriveKey, tagHash } from './hashing.js';
import { MaskEngine } from './mask-engine.js';
import { quantiseTile } from './quantise.js';
import { jsKernel, TILE_BYTES } from './ring-kernel.js';
import { shareDigest } from './transcript.js';

const ctx = fromHex('4e3616ca95cf1ca57c85976f7da0d5a28af539b4f87e5039815e18703c9c85c5');
const key = Uint8Array.from({ length: 32 }, (_, k) => k);
const h2 = new Uint8Array(32).fill(0x22);

describe('pinned vectors of the protocol', () => {
  it('gives ctx*', () => {
    expect(hex(tagHash('CTX', 'kat'))).toBe(hex(ctx));
  });

  it('gives the self and the pair key', () => {
    expect(hex(deriveKey(ctx, key, 'self', h2, u32(7)))).toBe(
      'b8ba8db47b42cc56553f813a6630255ee669e2cb7b225b7d0980421e5609d437',
    );
    expect(hex(deriveKey(ctx, key, 'pair', h2, u32(3), u32(7)))).toBe(
      '9400298a216dbab9d837928f432b538334327771061dc95e163321b24c6ec765',
    );
  });

  it('names the shares of the self-mask seed SB and those of the mask key SS', () => {
    const opening = { dealer: 3, holder: 7, share: key, r: new Uint8Array(16) };
    const digest = (kind: 0 | 1): string => hex(shareDigest(ctx, h2, { ...opening, kind }));
    const expected = (tag: string): string =>
      hex(tagHash(tag, ctx, h2, u32(3), u32(7), key, new Uint8Array(16)));
    expect([digest(0), digest(1)]).toEqual([expected('SB'), expected('SS')]);
  });

  it.each([
    ['wasm-simd', new MaskEngine()],
    ['js', new MaskEngine(jsKernel())],
  ])('masks a million elements bit-exact (%s)', (backend, engine) => {
    expect(engine.backend).toBe(backend);
    const y = Uint32Array.from({ length: 1_000_003 }, (_, k) => Math.imul(2654435761, k));
    const masks = [1, 2, 3].map(
      (j) => ({ key: sha256(utf8(`regulon-kat-mask-${j}`)), sign: j === 2 ? -1 : 1 }) as const,
    );
    const bytes = new Uint8Array(y.buffer);
    for (let o = 0; o < bytes.length; o += TILE_BYTES)
      engine.maskTile(bytes.subarray(o, o + TILE_BYTES), o, masks, 32);
    expect(hex(sha256(bytes))).toBe('b4ee2907f961280312c1a64d2d1b561cf397b751b9897fbeb1e5bc5a25618a65');
    expect(hex(new MerkleHasher().update(bytes).root())).toBe(
      '2d6bbd7b6e020e06196eb234d449d466aaad33fa28c89da3f10a93cda52878b9',
    );
  });

  it('quantises ±0.123456789f', () => {
    const out = new Int32Array(2);
    const rounding = { next: (count: number) => new Uint32Array(count).fill(0x80000000) };
    quantiseTile(
      Float32Array.of(0.123456789, -0.123456789),
      { weightScale: 1, C: 1.5, Q: 2 ** 20, rounding },
      out,
    );
    expect([...out]).toEqual([86303, -86303]);
  });
});
