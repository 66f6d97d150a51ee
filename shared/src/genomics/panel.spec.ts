import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import { panelDigest } from './panel.js';

describe('gene panel', () => {
  const genes = ['ESR1', 'FOXA1', 'GATA3', 'MARCH1'];

  it('is hashed as the newline-joined list, order included', () => {
    const expected = createHash('sha256').update('ESR1\nFOXA1\nGATA3\nMARCH1').digest('hex');
    expect(hex(panelDigest(genes))).toBe(expected);
    expect(hex(panelDigest(['FOXA1', 'ESR1', 'GATA3', 'MARCH1']))).not.toBe(expected);
  });

  it('refuses empty panels, empty names, line breaks and duplicates', () => {
    expect(() => panelDigest([])).toThrow('empty');
    expect(() => panelDigest(['a', ''])).toThrow('gene 2');
    expect(() => panelDigest(['a\nb', 'c'])).toThrow('gene 1');
    expect(() => panelDigest(['a', 'b', 'a'])).toThrow('genes 1 and 3');
  });
});
