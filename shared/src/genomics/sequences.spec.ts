import { describe, expect, it } from '@jest/globals';
import { oneHot, sequencePanel } from './sequences.js';

describe('sequences as numbers', () => {
  it('are one column a letter, ambiguous letters spread evenly', () => {
    expect([...oneHot('ACGTU')]).toEqual(
      [
        [1, 0, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 1],
        [0, 0, 0, 1],
      ].flat(),
    );
    expect([...oneHot('RVN-')]).toEqual(
      [[0.5, 0, 0.5, 0], [1 / 3, 1 / 3, 1 / 3, 0], Array(4).fill(0.25), Array(4).fill(0.25)].flat(),
    );
  });

  it('have a panel that says how long they are', () => {
    expect(sequencePanel(2)).toEqual(['1A', '1C', '1G', '1T', '2A', '2C', '2G', '2T']);
  });
});
