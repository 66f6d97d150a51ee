import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { tally } from '../../support/tally.js';
import { effort, isLong, TIMEOUT_MS } from '../support/effort.js';
import { TamperedAttempt } from '../support/tampered-attempt.js';

const honest = new TamperedAttempt(-1, 0);
const ending = honest.run();

describe('one bit of one message changed, anywhere in an attempt', () => {
  it('without a change the sum is exact and nobody refuses anything', () => {
    expect(ending).toBe('exact');
    expect(honest.refusals).toEqual([]);
    expect(honest.messages).toBeGreaterThan(150);
  });

  it(
    'is refused by name or harmless: never a wrong sum',
    () => {
      const seen = new Map<string, number>();
      const where = fc.record({ target: fc.nat(honest.messages - 1), bit: fc.nat(1 << 16) });
      fc.assert(
        fc.property(where, ({ target, bit }) => {
          const attempt = new TamperedAttempt(target, bit);
          const end = attempt.run();
          seen.set(attempt.changed ?? '', (seen.get(attempt.changed ?? '') ?? 0) + 1);
          // one signature fewer of R3 is harmless: more than t are shown
          if (attempt.changed !== 'consistency') expect(attempt.refusals).not.toEqual([]);
          expect(end).not.toBe('wrong');
          tally('messages with one bit changed', attempt.changed ?? 'none');
        }),
        { numRuns: effort(40, 1000), seed: 11 },
      );
      expect(seen.size).toBeGreaterThan(5);
    },
    TIMEOUT_MS,
  );

  it.each([
    ...[
      'manifest',
      'advertise',
      'shares',
      'delivery',
      'upload',
      'commit',
      'survivor',
      'consistency',
      'answer',
    ],
  ])('in every kind of message: %s', (kind) => {
    for (const bit of isLong ? Array.from({ length: 64 }, (_, k) => 1 + 97 * k) : [33, 700]) {
      const attempt = new TamperedAttempt(0, bit, { kind });
      expect(attempt.run()).not.toBe('wrong');
      expect(attempt.changed).toBe(kind);
      tally('messages with one bit changed', kind);
    }
  });

  it('control: a coordinator that does not compare uploads with their signed roots gets a wrong sum', () => {
    const attempt = new TamperedAttempt(0, 33, { kind: 'upload', ignoresRoots: true });
    expect(attempt.run()).toBe('wrong');
    expect(attempt.refusals).toEqual([]);
  });
});
