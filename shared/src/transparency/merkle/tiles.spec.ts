import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { equalBytes, leafHashOf, rootOfHashes, utf8 } from '../../crypto/index.js';
import { encodeEntryBundle, hashTileOf, newTiles, parseEntryBundle, type Tile, tilePath } from './tiles.js';
import { LogTree } from './tree.js';

describe('tiles', () => {
  it('have the paths of tlog-tiles', () => {
    expect(tilePath({ level: 0, index: 1234067, width: 256 })).toBe('tile/0/x001/x234/067');
    expect(tilePath({ level: 2, index: 0, width: 17 })).toBe('tile/2/000.p/17');
    expect(tilePath({ level: 'entries', index: 999, width: 1 })).toBe('tile/entries/999.p/1');
    expect(tilePath({ level: 0, index: 1000, width: 256 })).toBe('tile/0/x001/000');
  });

  it('are listed with the widths of the size, level by level', () => {
    const paths = (from: number, to: number): string[] => newTiles(from, to).map(tilePath);
    expect(paths(0, 0)).toEqual([]);
    expect(paths(0, 5)).toEqual(['tile/entries/000.p/5', 'tile/0/000.p/5']);
    expect(paths(5, 5)).toEqual([]);
    expect(paths(250, 300)).toEqual([
      'tile/entries/000',
      'tile/entries/001.p/44',
      'tile/0/000',
      'tile/0/001.p/44',
      'tile/1/000.p/1',
    ]);
    expect(paths(256, 512)).toEqual(['tile/entries/001', 'tile/0/001', 'tile/1/000.p/2']);
    expect(paths(0, 65_536).at(-1)).toBe('tile/2/000.p/1');
  });

  it('of level 1 hold the roots of the full tiles of level 0', () => {
    const tree = new LogTree();
    for (let i = 0; i < 600; i++) tree.append(leafHashOf(utf8(String(i))));
    const upper = hashTileOf(tree, { level: 1, index: 0, width: 2 });
    for (const index of [0, 1]) {
      const tile = hashTileOf(tree, { level: 0, index, width: 256 });
      const hashes = Array.from({ length: 256 }, (_, i) => tile.subarray(32 * i, 32 * i + 32));
      expect(equalBytes(rootOfHashes(hashes), upper.subarray(32 * index, 32 * index + 32))).toBe(true);
    }
    const missing: Tile & { level: number } = { level: 0, index: 2, width: 256 };
    expect(() => hashTileOf(tree, missing)).toThrow(expect.objectContaining({ code: 'E_NOT_FOUND' }));
  });
});

describe('entry bundles', () => {
  it('give back what they were made of', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 20 }), (entries) => {
        const { entries: read, complete } = parseEntryBundle(encodeEntryBundle(entries), entries.length);
        expect(complete).toBe(true);
        expect(read.every((entry, i) => equalBytes(entry, entries[i] ?? new Uint8Array(1)))).toBe(true);
      }),
    );
  });

  it('tell when they are cut, too long or of another width', () => {
    const bytes = encodeEntryBundle([utf8('one'), utf8('two')]);
    expect(parseEntryBundle(bytes.subarray(0, 9), 2)).toMatchObject({ complete: false });
    expect(parseEntryBundle(bytes, 1).complete).toBe(false);
    expect(parseEntryBundle(bytes, 3).complete).toBe(false);
    expect(() => encodeEntryBundle([new Uint8Array(61_441)])).toThrow(
      expect.objectContaining({ code: 'E_LOG_ENTRY' }),
    );
  });
});
