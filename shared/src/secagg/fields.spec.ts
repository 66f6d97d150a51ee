import { describe, expect, it } from '@jest/globals';
import { enc, f64, u32, u64, utf8 } from '../crypto/index.js';
import { FieldReader } from './fields.js';

const reader = (...fields: Uint8Array[]): FieldReader => new FieldReader(enc(...fields));
const refused = (words: string): unknown =>
  expect.objectContaining({ code: 'E_MESSAGE', message: expect.stringContaining(words) as unknown });

describe('fields of a byte string', () => {
  it('have a length between two bounds, both allowed', () => {
    const read = (length: number) => (): Uint8Array => reader(new Uint8Array(length)).field(2, 4);
    for (const length of [2, 3, 4]) expect(read(length)()).toHaveLength(length);
    for (const length of [0, 1, 5]) expect(read(length)).toThrow(refused(`a field of ${length} bytes`));
  });

  it('lie in the byte string to their last byte', () => {
    const whole = enc(new Uint8Array(3), new Uint8Array(2));
    const both = (bytes: Uint8Array) => (): number => {
      const r = new FieldReader(bytes);
      return r.field(0, 9).length + r.field(0, 9).length;
    };
    expect(both(whole)()).toBe(5);
    for (let cut = 0; cut < whole.length; cut++)
      expect(both(whole.subarray(0, cut))).toThrow(refused('ends early'));
    // a view into something larger ends where the view ends
    const larger = Uint8Array.of(...whole, ...new Uint8Array(9));
    expect(both(larger.subarray(0, 6))).toThrow(refused('ends early'));
    expect(both(larger.subarray(0, whole.length))()).toBe(5);
  });

  it('end where the byte string ends', () => {
    const r = reader(u32(7), u32(8));
    expect(r.u32()).toBe(7);
    expect(() => r.end()).toThrow(refused('too long'));
    expect(r.u32()).toBe(8);
    expect(() => r.end()).not.toThrow();
  });

  it('hold integers up to 2^53 − 1', () => {
    expect(reader(u64(Number.MAX_SAFE_INTEGER)).u64()).toBe(Number.MAX_SAFE_INTEGER);
    const above = Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0);
    expect(() => reader(above).u64()).toThrow(refused('above 2^53'));
  });

  it('hold numbers, but no NaN', () => {
    for (const value of [0, -1.5, Infinity]) expect(reader(f64(value)).f64()).toBe(value);
    expect(() => reader(f64(NaN)).f64()).toThrow(refused('a NaN'));
  });

  it('hold texts in one form only', () => {
    expect(reader(utf8('é')).text(2)).toBe('é');
    expect(() => reader(utf8('é')).text(1)).toThrow(refused(''));
    expect(() => reader(Uint8Array.of(0xff)).text(9)).toThrow(refused('not UTF-8'));
    const decomposed = new TextEncoder().encode('e\u0301');
    expect(() => reader(decomposed).text(9)).toThrow(refused('not NFC'));
  });

  it('make lists of at most so many', () => {
    const list = (count: number) => (): number[] =>
      reader(u32(count), ...Array.from({ length: count }, (_, k) => u32(k))).list(2, (r) => r.u32());
    expect(list(2)()).toEqual([0, 1]);
    expect(list(3)).toThrow(refused('a list of 3'));
  });
});
