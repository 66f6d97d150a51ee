import { describe, expect, it } from '@jest/globals';
import { MAX_ITEM_BYTES, type Query } from '@regulon/shared/wire';
import { fetchLimitOf } from './fetch-limits.js';

const run = new Uint8Array(16);

describe('what a site takes as an answer', () => {
  it('is as many entries of the log as it asked for, of any size', () => {
    expect(fetchLimitOf({ type: 'logEntries', from: 10, to: 266 })).toEqual({
      items: 256,
      bytes: 256 * 513 * 1024,
    });
    expect(fetchLimitOf({ type: 'logEntries', from: 10, to: 5 }).items).toBe(0);
  });

  it('is one piece of each upload and of the sum for a tile', () => {
    const { items, bytes } = fetchLimitOf({ type: 'spotTiles', run, round: 0, tiles: [1] });
    expect(items).toBe(256);
    expect(bytes).toBeGreaterThanOrEqual(256 * 65_536);
  });

  it('is bounded for every query', () => {
    const at = { run, round: 0, attempt: 0 };
    const queries: Query[] = [
      { type: 'runContract', run },
      { type: 'attachment', digest: new Uint8Array(32) },
      ...(['manifest', 'closed'] as const).map((type) => ({ type, run, round: 0 })),
      ...(['advertised', 'deliveries', 'survivors', 'signatures', 'revealed', 'answers'] as const).map(
        (type) => ({
          type,
          ...at,
        }),
      ),
      { type: 'consistencyProof', oldSize: 0, newSize: 1 },
    ];
    for (const query of queries) {
      const { items, bytes } = fetchLimitOf(query);
      expect(items).toBeLessThanOrEqual(1024);
      expect(bytes).toBeLessThanOrEqual(MAX_ITEM_BYTES);
    }
  });
});
