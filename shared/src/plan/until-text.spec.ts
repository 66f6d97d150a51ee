import { describe, expect, it } from '@jest/globals';
import { endOfUse } from './data-use.js';
import { untilText } from './until-text.js';

describe('the end of a term', () => {
  it.each([
    ['2027-02-01T00:00:00.000Z', 'the end of 2027-01-31 UTC'],
    ['2028-03-01T00:00:00Z', 'the end of 2028-02-29 UTC'],
    ['2027-01-01T00:00:00Z', 'the end of 2026-12-31 UTC'],
    ['2027-02-01T01:00:00+01:00', 'the end of 2027-01-31 UTC'],
    ['2027-01-31T23:59:59.999Z', '2027-01-31T23:59:59.999Z'],
    ['2027-02-01T00:00:00+01:00', '2027-02-01T00:00:00+01:00'],
  ])('%s reads %s', (end, text) => expect(untilText(end)).toBe(text));

  it('is the day that the terms of a dataset name', () => {
    expect(untilText(endOfUse(['DUO:0000025=2027-01-31']) ?? '')).toBe('the end of 2027-01-31 UTC');
  });
});
