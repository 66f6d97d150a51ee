import { describe, expect, it } from '@jest/globals';
import { canonicalJson, parseCanonicalJson } from './canonical-json.js';

describe('canonical JSON (RFC 8785)', () => {
  it('gives the example of section 3.2.2', () => {
    const value: unknown = JSON.parse(
      '{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],' +
        '"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts names by UTF-16 code unit, as in section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    const names = Object.keys(JSON.parse(canonicalJson(value)) as object);
    expect(canonicalJson(value)).toBe('{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
    expect(names).toHaveLength(7);
  });

  it('leaves out undefined members and writes -0 as 0', () => {
    expect(canonicalJson({ b: undefined, a: -0 })).toBe('{"a":0}');
  });

  it('is read back in its one form only', () => {
    const read = (text: string) => parseCanonicalJson(new TextEncoder().encode(text), 'it');
    expect(read('{"a":1,"b":[null,"é"]}')).toEqual({ a: 1, b: [null, 'é'] });
    for (const text of ['{"b":1,"a":1}', '{"a":1,"a":1}', '{"a":1.0}', ' {}', '{}\n', '"\\u00e9"'])
      expect(() => read(text)).toThrow(/^it is not canonical JSON$/);
    for (const text of ['', '{', '\ufeff{}', '"\\ud800"', '['.repeat(300) + ']'.repeat(300)])
      expect(() => read(text)).toThrow(/^it is not JSON in UTF-8$/);
    expect(() => parseCanonicalJson(Uint8Array.of(0x22, 0xff, 0x22), 'it')).toThrow(
      expect.objectContaining({ code: 'E_MESSAGE' }),
    );
  });

  it('refuses what JSON cannot hold', () => {
    for (const value of [
      NaN,
      Infinity,
      1n,
      undefined,
      '\ud800',
      [undefined],
      new Uint8Array(2),
      new Date(0),
    ]) {
      expect(() => canonicalJson({ value: [value] })).toThrow(expect.objectContaining({ code: 'E_MESSAGE' }));
    }
  });
});
