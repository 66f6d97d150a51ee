import { RegulonError } from '../../errors/index.js';
import type { LogTree } from './tree.js';

/** Hashes in a full tile, and entries in a full bundle. */
export const TILE_WIDTH = 256;
/** Bytes of one entry at most (the format's own limit is 65,535). */
export const MAX_ENTRY_BYTES = 61_440;

/** One tile of a log of some size: `width` is 256 when full. */
export interface Tile {
  /** tree level of a hash tile, or `entries` for a bundle of entries */
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

/**
 * Path of a tile under the prefix of the log, e.g. `tile/0/x001/x234/067` or `tile/entries/000.p/17`.
 *
 * @see C2SP tlog-tiles
 */
export function tilePath({ level, index, width }: Tile): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const name = digits.replace(/\d{3}(?=\d)/g, 'x$&/');
  return `tile/${level}/${name}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/**
 * The tiles that a log of `size` entries has and the log of `oldSize` entries had not, lowest level first.
 *
 * Empty tiles are not listed; a partial tile of level l has floor(size / 256^l) mod 256 hashes.
 */
export function newTiles(oldSize: number, size: number): Tile[] {
  const tiles: Tile[] = [];
  for (const level of ['entries', 0] as const) tiles.push(...tilesOfLevel(level, oldSize, size));
  for (let level = 1, span = TILE_WIDTH; span <= size; level++, span *= TILE_WIDTH) {
    tiles.push(...tilesOfLevel(level, Math.floor(oldSize / span), Math.floor(size / span)));
  }
  return tiles;
}

function tilesOfLevel(level: Tile['level'], oldCount: number, count: number): Tile[] {
  const tiles: Tile[] = [];
  if (count === oldCount) return tiles;
  for (let index = Math.floor(oldCount / TILE_WIDTH); index * TILE_WIDTH < count; index++) {
    tiles.push({ level, index, width: Math.min(TILE_WIDTH, count - index * TILE_WIDTH) });
  }
  return tiles;
}

/** Bytes of a hash tile: `width` hashes of 32 bytes. @throws E_NOT_FOUND if the tree is too small */
export function hashTileOf(tree: LogTree, tile: Tile & { readonly level: number }): Uint8Array {
  const from = tile.index * TILE_WIDTH;
  return tree.tileHashes(tile.level, from, from + tile.width);
}

/** Bytes of an entry bundle: each entry after its length as big-endian uint16. @throws E_LOG_ENTRY if one is too long */
export function encodeEntryBundle(entries: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(entries.reduce((sum, entry) => sum + 2 + entry.length, 0));
  const view = new DataView(out.buffer);
  let offset = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) {
      throw new RegulonError(
        'E_LOG_ENTRY',
        `an entry has ${entry.length} bytes, at most ${MAX_ENTRY_BYTES} are allowed`,
      );
    }
    view.setUint16(offset, entry.length);
    out.set(entry, offset + 2);
    offset += 2 + entry.length;
  }
  return out;
}

/**
 * Entries of a bundle, as views. Stops at the first length that does not fit.
 *
 * @param width number of entries that the path promises
 * @returns the entries that could be read, and whether the bundle was read to its end with `width` entries
 */
export function parseEntryBundle(
  bytes: Uint8Array,
  width: number,
): { entries: Uint8Array[]; complete: boolean } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const entries: Uint8Array[] = [];
  let offset = 0;
  while (entries.length < width && offset + 2 <= bytes.length) {
    const end = offset + 2 + view.getUint16(offset);
    if (end > bytes.length) break;
    entries.push(bytes.subarray(offset + 2, end));
    offset = end;
  }
  return { entries, complete: entries.length === width && offset === bytes.length };
}
