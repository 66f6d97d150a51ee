import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { hex } from '../crypto/index.js';
import { panelDigest, verifyPanel } from './panel.js';

describe('gene panel', () => {
  const genes = ['ESR1', 'FOXA1', 'GATA3', 'MARCH1'];

  it('is hashed as the newline-joined list, order included', () => {
    const expected = createHash('sha256').update('ESR1\nFOXA1\nGATA3\nMARCH1').digest('hex');
    expect(hex(panelDigest(genes))).toBe(expected);
    expect(hex(panelDigest(['FOXA1', 'ESR1', 'GATA3', 'MARCH1']))).not.toBe(expected);
  });

  it('stops at one swapped gene and names the place', () => {
    const expected = { digest: panelDigest(genes), genes };
    expect(() => verifyPanel(genes, expected)).not.toThrow();
    const swapped = ['ESR1', 'GATA3', 'FOXA1', 'MARCH1'];
    expect(() => verifyPanel(swapped, expected)).toThrow('same genes in another order, first at position 2');
    expect(() => verifyPanel(genes.slice(0, 3), expected)).toThrow('first difference at position 4');
    expect(() => verifyPanel([...genes, 'XBP1'], expected)).toThrow('5 genes instead of 4');
    expect(() => verifyPanel(swapped, { digest: expected.digest })).toThrow('instead of');
  });

  it('refuses empty panels, empty names, line breaks and duplicates', () => {
    expect(() => panelDigest([])).toThrow('empty');
    expect(() => panelDigest(['a', ''])).toThrow('gene 2');
    expect(() => panelDigest(['a\nb', 'c'])).toThrow('gene 1');
    expect(() => panelDigest(['a', 'b', 'a'])).toThrow('genes 1 and 3');
  });
});
