import { describe, expect, it } from '@jest/globals';
import { enc, f64, fromHex, hex, u16, u32, u64, u8, utf8 } from './bytes.js';

describe('canonical fields', () => {
  it('writes integers and doubles big-endian', () => {
    expect(hex(u8(7))).toBe('07');
    expect(hex(u16(0x102))).toBe('0102');
    expect(hex(u32(0x1020304))).toBe('01020304');
    expect(hex(u64(0x1020304050607))).toBe('0001020304050607');
    expect(hex(u64(0xffff_ffff_ffff_ffffn))).toBe('ffffffffffffffff');
    expect(hex(f64(1.5))).toBe('3ff8000000000000');
  });

  it('refuses integers that do not fit', () => {
    expect(() => u8(256)).toThrow();
    expect(() => u16(-1)).toThrow();
    expect(() => u32(1.5)).toThrow();
    expect(() => u64(2n ** 64n)).toThrow();
  });

  it('puts the length before each field, so that no two lists collide', () => {
    expect(hex(enc('ab', 'c'))).toBe('0000000261620000000163');
    expect(hex(enc('a', 'bc'))).not.toBe(hex(enc('ab', 'c')));
  });

  it('normalises text to NFC', () => {
    expect(hex(utf8('e\u0301'))).toBe(hex(utf8('\u00e9')));
  });

  it('reads hexadecimal strictly', () => {
    expect(hex(fromHex('00ff'))).toBe('00ff');
    expect(() => fromHex('0')).toThrow();
    expect(() => fromHex('zz')).toThrow();
    expect(() => fromHex('00', 2)).toThrow();
  });
});
