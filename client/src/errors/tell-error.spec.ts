import { describe, expect, it } from '@jest/globals';
import { RegulonError } from '@regulon/shared/errors';
import { tellError } from './tell-error.js';

describe('an error on the terminal', () => {
  it('is two lines, and no more than text', () => {
    let told = '';
    const hint = 'look\u009b1A at it';
    tellError(new RegulonError('E_FORK', 'run \u001b[2Jx\u202e', { hint }), (text) => (told += text));
    expect(told).toBe('E_FORK: run  [2Jx \nnext: look 1A at it\n');
  });
});
