import { describe, expect, it } from '@jest/globals';
import { present, refusalOf, RegulonError } from './index.js';

describe('what was thrown', () => {
  const refusal = new RegulonError('E_VERIFY', 'no');

  it('is given back when it is a refusal, of this code if one is expected', () => {
    expect(refusalOf(refusal)).toBe(refusal);
    expect(refusalOf(refusal, 'E_VERIFY')).toBe(refusal);
  });

  it.each([new TypeError('a defect'), 'a text', new RegulonError('E_POLICY', 'another')])(
    'is thrown again otherwise: %s',
    (error) => {
      expect(() => refusalOf(error, 'E_VERIFY')).toThrow(error);
    },
  );
});

describe('a value that must be there', () => {
  it('is given back, or named', () => {
    expect(present(0, 'the number')).toBe(0);
    expect(() => present(undefined, 'the number')).toThrow('the number is missing');
  });
});
