import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LEAF_BYTES } from '../crypto/index.js';
import { TILE_BYTES } from './ring-kernel.js';
import { tileRanges } from './tile-ranges.js';

describe('tile ranges', () => {
  it('cover a vector once, in order, on tile borders, and differ by one tile at most', () => {
    expect(TILE_BYTES % LEAF_BYTES).toBe(0);
    fc.assert(
      fc.property(fc.nat(40 * TILE_BYTES), fc.integer({ min: 1, max: 9 }), (size, parts) => {
        const ranges = tileRanges(size, parts);
        expect(ranges[0]?.lo).toBe(0);
        expect(ranges.at(-1)?.hi).toBe(size);
        ranges.forEach(({ lo }, k) => {
          expect(lo % TILE_BYTES).toBe(0);
          if (k > 0) expect(lo).toBe(ranges[k - 1]?.hi);
        });
        expect(ranges).toHaveLength(Math.min(parts, Math.max(1, Math.ceil(size / TILE_BYTES))));
        const tiles = ranges.map(({ lo, hi }) => Math.ceil((hi - lo) / TILE_BYTES));
        expect(Math.max(...tiles) - Math.min(...tiles)).toBeLessThanOrEqual(1);
      }),
    );
  });
});
