import { describe, expect, it } from '@jest/globals';
import { endOfDay } from './approval.js';

describe('a day that a person names', () => {
  const now = new Date('2027-01-31T15:00:00Z');

  it('counts to its end in UTC, today too', () => {
    expect(endOfDay('2027-01-31', now).toISOString()).toBe('2027-02-01T00:00:00.000Z');
    expect(endOfDay('2028-02-29', now).toISOString()).toBe('2028-03-01T00:00:00.000Z');
  });

  it.each(['2027-01-30', '2027-02-30', '2027-13-01', '2027-02-01T10:00:00Z', '01.02.2027', 'tomorrow', ''])(
    'is none: %s',
    (text) => {
      expect(() => endOfDay(text, now)).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
    },
  );
});
