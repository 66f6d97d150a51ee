import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { hex, randomBytes } from '../crypto/index.js';
import { decodeFixed, encodeFixed, packIntegers, unpackIntegers } from './fixed-point.js';
import { clipScale, decodeMean, decodeSigned32, normSquaredTile, quantiseTile } from './quantise.js';
import { Rounding, roundingKey } from './rounding.js';

describe('quantiser', () => {
  const quantise = (x: Float32Array, Q: number, rounding = new Rounding(randomBytes(32))): Int32Array => {
    const out = new Int32Array(x.length);
    quantiseTile(x, { weightScale: 1, C: 1.5, Q, rounding }, out);
    return out;
  };

  it.each([2 ** 4, 2 ** 20, 2 ** 24, 2 ** 28])('is unbiased at Q = %i', (Q) => {
    const n = 200_000;
    const x = new Float32Array(n).map((_, k) => Math.sin(k) * 1.2);
    const out = quantise(x, Q);
    const bias = x.reduce((sum, value, k) => sum + (out[k] ?? 0) - (value / 1.5) * Q, 0) / n;
    expect(Math.abs(bias)).toBeLessThan(5 * Math.sqrt(0.25 / n));
  });

  it('never leaves [−Q, Q]', () => {
    const out = quantise(Float32Array.of(1.5, -1.5, 99, -99, 1.4999999, -1.4999999, 0), 2 ** 28);
    expect(out.every((q) => Math.abs(q) <= 2 ** 28)).toBe(true);
    expect([...out.slice(0, 4)]).toEqual([2 ** 28, -(2 ** 28), 2 ** 28, -(2 ** 28)]);
    expect(out[6]).toBe(0);
  });

  it('does not depend on the size of the tiles', () => {
    const x = new Float32Array(10_001).map((_, k) => Math.cos(k));
    const key = randomBytes(32);
    const whole = quantise(x, 2 ** 20, new Rounding(key));
    const rounding = new Rounding(key);
    const pieces = [0, 3333, 4096, 9999].map((from, k, all) =>
      quantise(x.subarray(from, all[k + 1]), 2 ** 20, rounding),
    );
    expect(pieces.flatMap((piece) => [...piece])).toEqual([...whole]);
    expect([...quantise(x.subarray(4096), 2 ** 20, new Rounding(key, 4096))]).toEqual([
      ...whole.subarray(4096),
    ]);
    expect(normSquaredTile(x.subarray(777), normSquaredTile(x.subarray(0, 777)))).toBe(normSquaredTile(x));
  });

  it('gives the weighted mean back within one unit', () => {
    const x = new Float32Array(1000).map((_, k) => Math.sin(k * 3));
    const mean = decodeMean(quantise(x, 2 ** 20), { Q: 2 ** 20, C: 1.5, W: 2 });
    mean.forEach((value, k) => expect(Math.abs(value - (x[k] ?? 0) / 2)).toBeLessThan(1.5 / 2 ** 20));
  });

  it('refuses NaN, infinity and impossible clip norms', () => {
    const refused = expect.objectContaining({ code: 'E_NOT_FINITE' });
    for (const bad of [NaN, Infinity, -Infinity])
      expect(() => quantise(Float32Array.of(1, bad, 2), 16)).toThrow(refused);
    expect(() => clipScale(1, NaN, 1)).toThrow(refused);
    for (const C of [0, -1, NaN, Infinity]) {
      expect(() => clipScale(1, 1, C)).toThrow(expect.objectContaining({ code: 'E_CLIP_NORM' }));
    }
  });

  it('clips the weighted norm, not the norm', () => {
    expect(clipScale(0.5, 4, 1)).toEqual({ scale: 0.5, exceeded: false });
    expect(clipScale(0.5, 16, 1)).toEqual({ scale: 0.25, exceeded: true });
    // a norm that is the clip norm does not exceed it
    expect(clipScale(1, 4, 2)).toEqual({ scale: 1, exceeded: false });
  });

  it('derives one rounding key per run, round and arm', () => {
    const [secret, run] = [randomBytes(32), randomBytes(16)];
    const keys = [
      roundingKey(secret, run, 0, 0),
      roundingKey(secret, run, 1, 0),
      roundingKey(secret, run, 0, 1),
    ];
    expect(new Set(keys.map(hex)).size).toBe(3);
    expect(hex(roundingKey(secret, run, 0, 0))).toBe(hex(keys[0] ?? new Uint8Array()));
  });
});

describe('fixed point', () => {
  const integers = (values: number[], f: number, bound = 1e9): number[] =>
    unpackIntegers(encodeFixed(Float64Array.from(values), f, bound).words, 64);

  it('rounds halves to even, on both sides of zero', () => {
    expect(integers([0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999, -0.50001], 0)).toEqual([
      0, 2, 2, 0, -2, -2, 0, -1,
    ]);
  });

  it("writes two's complement", () => {
    expect(hex(encodeFixed(Float64Array.of(-1, 1, 2 ** 40), 0, 2 ** 50).words)).toBe(
      `${'ff'.repeat(8)}0100000000000000${'0000000000010000'}`,
    );
  });

  it('gives every value back within half a unit', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true })),
        fc.integer({ min: 0, max: 40 }),
        (values, f) => {
          const { words, clamped } = encodeFixed(Float64Array.from(values), f, 1e6);
          expect(clamped).toBe(0);
          decodeFixed(words, f).forEach((v, k) =>
            expect(Math.abs(v - (values[k] ?? 0))).toBeLessThanOrEqual(2 ** -f / 2 + 1e-9),
          );
        },
      ),
    );
  });

  it('clamps what is out of bounds and counts it', () => {
    const { words, clamped } = encodeFixed(Float64Array.of(5, -5, NaN, Infinity, 3), 8, 4);
    expect(clamped).toBe(4);
    expect([...decodeFixed(words, 8)]).toEqual([4, -4, 0, 4, 3]);
    expect(encodeFixed(Float64Array.of(4, -4), 8, 4).clamped).toBe(0);
    expect(() => encodeFixed(new Float64Array(1), 40, 2 ** 23 - 1)).not.toThrow();
    expect(() => encodeFixed(new Float64Array(1), 40, 2 ** 23)).toThrow(
      expect.objectContaining({ code: 'E_RING_BOUND' }),
    );
  });

  it('keeps integers above 2^52, which need no rounding', () => {
    const large = [2 ** 52, 2 ** 52 + 1, -(2 ** 52), -(2 ** 52) - 1, 2 ** 53 - 1];
    expect(integers(large, 0, 2 ** 60)).toEqual(large);
  });

  it('reads signed elements wherever they lie', () => {
    const packed = packIntegers([7, -7, 2 ** 31 - 1], 32);
    expect(decodeSigned32(packed).buffer).toBe(packed.buffer);
    const shifted = Uint8Array.of(0, ...packed).subarray(1);
    expect([...decodeSigned32(shifted)]).toEqual([7, -7, 2 ** 31 - 1]);
  });

  it('packs the integers behind a vector', () => {
    for (const bits of [32, 64] as const) {
      expect(unpackIntegers(packIntegers([0, 1, -1, 2 ** 31 - 1, -(2 ** 31)], bits), bits)).toEqual([
        0,
        1,
        -1,
        2 ** 31 - 1,
        -(2 ** 31),
      ]);
    }
    expect([...decodeSigned32(packIntegers([7, -7], 32))]).toEqual([7, -7]);
    const refused = expect.objectContaining({ code: 'E_INTERNAL' });
    for (const bad of [2 ** 31, -(2 ** 31) - 1, 0.5]) expect(() => packIntegers([bad], 32)).toThrow(refused);
    for (const bad of [2 ** 53, -(2 ** 53), 0.5, NaN]) expect(() => packIntegers([bad], 64)).toThrow(refused);
    expect(unpackIntegers(packIntegers([2 ** 31, 2 ** 53 - 1], 64), 64)).toEqual([2 ** 31, 2 ** 53 - 1]);
  });
});
