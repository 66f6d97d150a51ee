import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { message, union } from './codec.js';
import { bytes, field, fixed, flag, list, nested, oneOfNames, text, u32, u64 } from './field-types.js';

const inner = message('Inner', { id: field(1, u32), name: field(2, text(20)) }, 64);
const sample = message(
  'Sample',
  {
    count: field(1, u64),
    key: field(2, fixed(4)),
    words: field(3, text(12)),
    yes: field(4, flag),
    stage: field(5, oneOfNames(['r0', 'r1'])),
    numbers: field(6, list(u32, 5)),
    hashes: field(7, list(fixed(4), 3)),
    inner: field(8, nested(inner)),
    rest: field(15, bytes(10)),
  },
  200,
);
type Sample = ReturnType<typeof sample.decode>;
const bytesOf = (min: number, max: number) => fc.uint8Array({ minLength: min, maxLength: max });
const anySample: fc.Arbitrary<Sample> = fc.record({
  count: fc.maxSafeNat(),
  key: bytesOf(4, 4),
  words: fc.string({ maxLength: 3 }),
  yes: fc.boolean(),
  stage: fc.constantFrom('r0' as const, 'r1' as const),
  numbers: fc.array(fc.nat(0xffffffff), { maxLength: 5 }),
  hashes: fc.array(bytesOf(4, 4), { maxLength: 3 }),
  inner: fc.record({ id: fc.nat(), name: fc.string({ maxLength: 5, unit: 'grapheme-ascii' }) }),
  rest: bytesOf(0, 10),
});
const malformed = expect.objectContaining({ code: 'E_MESSAGE' });
const decodes = (input: Uint8Array) => () => sample.decode(input);

describe('message codec', () => {
  it('gives back what it was given', () => {
    fc.assert(fc.property(anySample, (value) => expect(sample.decode(sample.encode(value))).toEqual(value)));
  });

  it('accepts one encoding of a value only: whatever it decodes, it encodes to the same bytes', () => {
    const mutated = fc.tuple(anySample, fc.nat(), fc.nat(255)).map(([value, at, byte]) => {
      const encoded = sample.encode(value);
      encoded[at % encoded.length] = byte;
      return encoded;
    });
    fc.assert(
      fc.property(fc.oneof(mutated, bytesOf(0, 60)), (input) => {
        let value: Sample;
        try {
          value = sample.decode(input);
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_MESSAGE' });
          return;
        }
        expect(sample.encode(value)).toEqual(input);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses every truncation', () => {
    const value = fc.sample(anySample, { numRuns: 1, seed: 7 })[0]!;
    const encoded = sample.encode({ ...value, rest: Uint8Array.of(1) });
    for (let length = 0; length < encoded.length - 3; length++) {
      expect(decodes(encoded.subarray(0, length))).toThrow(malformed);
    }
  });

  it('refuses lengths above the limit before it copies anything', () => {
    const claims4GB = Uint8Array.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f);
    const blob = message('Blob', { data: field(1, bytes(100)) }, 1000);
    expect(() => blob.decode(claims4GB)).toThrow('at most 100 are allowed');
    expect(() => blob.decode(new Uint8Array(1001))).toThrow('at most 1000 are allowed');
    expect(() => blob.encode({ data: new Uint8Array(101) })).toThrow(malformed);
  });

  it('refuses text that is not UTF-8, numbers that are too long, and unknown names', () => {
    const one = message(
      'One',
      { words: field(1, text(9)), n: field(2, u64), stage: field(3, oneOfNames(['a'])) },
      99,
    );
    expect(() => one.decode(Uint8Array.of(0x0a, 1, 0xff, 0x18, 1))).toThrow('not UTF-8');
    expect(() => one.decode(Uint8Array.of(0x10, 0x81, 0x00, 0x18, 1))).toThrow('longer than needed');
    expect(() => one.decode(Uint8Array.of(0x10, ...Array<number>(8).fill(0xff), 1, 0x18, 1))).toThrow(
      'out of range',
    );
    expect(() => one.decode(Uint8Array.of(0x18, 2))).toThrow('no known name');
    expect(() => one.decode(Uint8Array.of(0x18, 1, 0x20, 1))).toThrow('unknown, repeated or misplaced');
  });
});

describe('union codec', () => {
  const either = union('Either', { first: [1, inner], second: [2, message('Empty', {}, 0)] }, 99);

  it('carries exactly one body', () => {
    const value = { type: 'first', id: 3, name: 'x' } as const;
    expect(either.decode(either.encode(value))).toEqual(value);
    expect(either.decode(either.encode({ type: 'second' }))).toEqual({ type: 'second' });
    const two = Uint8Array.from([...either.encode({ type: 'second' }), ...either.encode({ type: 'second' })]);
    expect(() => either.decode(two)).toThrow('more than one body');
    expect(() => either.decode(Uint8Array.of())).toThrow('unknown type');
    expect(() => either.decode(Uint8Array.of(0x1a, 0))).toThrow('unknown type');
  });
});
