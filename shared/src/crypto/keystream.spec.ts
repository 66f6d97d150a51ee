import { describe, expect, it } from '@jest/globals';
import { fromHex, hex } from './bytes.js';
import { hkdf } from './hash.js';
import { Keystream } from './keystream.js';

describe('keystream', () => {
  it('gives the pinned words of the self key', () => {
    const key = fromHex('b8ba8db47b42cc56553f813a6630255ee669e2cb7b225b7d0980421e5609d437');
    const bytes = new Keystream(key).next(16_385 * 4);
    expect([0, 1, 2, 3, 16_384].map((k) => bytes.readUInt32LE(4 * k).toString(16))).toEqual([
      '5adbdf5e',
      '471afb00',
      'c51c2792',
      '5bac1825',
      'c1e891f1',
    ]);
  });

  it('starts anywhere on a block border', () => {
    const key = new Uint8Array(32).fill(3);
    const whole = new Keystream(key).next(300_000);
    for (const offset of [0, 16, 4096, 131_072, 299_984]) {
      expect(hex(new Keystream(key, offset).next(16))).toBe(hex(whole.subarray(offset, offset + 16)));
    }
    expect(() => new Keystream(key, 8)).toThrow();
    expect(() => new Keystream(key.subarray(1))).toThrow();
  });
});

describe('HKDF', () => {
  it('gives the first vector of RFC 5869', () => {
    const okm = hkdf(
      new Uint8Array(22).fill(0x0b),
      fromHex('000102030405060708090a0b0c'),
      fromHex('f0f1f2f3f4f5f6f7f8f9'),
      42,
    );
    expect(hex(okm)).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });
});
