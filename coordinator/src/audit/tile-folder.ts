import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { equalBytes } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import {
  encodeEntryBundle,
  hashTileOf,
  type LogTree,
  newTiles,
  TILE_WIDTH,
  type Tile,
  tilePath,
} from '@regulon/shared/transparency';
import { type FileWrite, readIfPresent, writeDurably } from './durable-files.js';

/** Reads entries `from` ≤ index < `to`. */
export type EntryRange = (from: number, to: number) => readonly Uint8Array[];

/** The static files of the log: `tile/**` and `checkpoint`, as C2SP tlog-tiles lays them out. */
export class TileFolder {
  constructor(private readonly folder: string) {}

  /** Write what a log of `size` entries has and the one of `oldSize` had not. Durable when the promise resolves. */
  async extend(tree: LogTree, entries: EntryRange, oldSize: number, size: number): Promise<void> {
    const tiles = newTiles(oldSize, size);
    await writeDurably(
      this.folder,
      tiles.map((tile) => fileOf(tile, tree, entries)),
    );
    const full = tiles.filter((tile) => tile.width === TILE_WIDTH);
    await Promise.all(
      full.map((tile) => rm(join(this.folder, `${tilePath(tile)}.p`), { recursive: true, force: true })),
    );
  }

  /** Remove the entry bundles below an index, if they are still there. */
  async prune(minimum: number): Promise<void> {
    for (let index = 0; index * TILE_WIDTH < minimum; index++) {
      const path = join(this.folder, tilePath({ level: 'entries', index, width: TILE_WIDTH }));
      await rm(path, { force: true });
      await rm(`${path}.p`, { recursive: true, force: true });
    }
  }

  /** Publish a signed checkpoint. */
  async publish(note: string): Promise<void> {
    await writeDurably(this.folder, [{ path: 'checkpoint', bytes: new TextEncoder().encode(note) }]);
  }

  /**
   * Compare the files with what the rows give; files that are missing are written again, and what was pruned is removed.
   *
   * @param minimum first entry whose bytes are kept
   * @throws E_STATE_DB if a file says something else
   */
  async compare(tree: LogTree, entries: EntryRange, size: number, minimum: number): Promise<void> {
    const missing: FileWrite[] = [];
    await this.prune(minimum);
    for (const tile of tilesFrom(minimum, size)) {
      const expected = fileOf(tile, tree, entries);
      const found = await readIfPresent(join(this.folder, expected.path));
      if (found === undefined) missing.push(expected);
      else if (!equalBytes(found, expected.bytes)) {
        throw new RegulonError(
          'E_STATE_DB',
          `${expected.path} of the log does not follow from the stored entries`,
        );
      }
    }
    await writeDurably(this.folder, missing);
  }
}

/** Tiles of a log of some size without the entry bundles below its minimum index. */
export function tilesFrom(minimum: number, size: number): Tile[] {
  return newTiles(0, size).filter(({ level, index }) => level !== 'entries' || index * TILE_WIDTH >= minimum);
}

/** Path and bytes of a tile or an entry bundle. */
export function fileOf(tile: Tile, tree: LogTree, entries: EntryRange): FileWrite {
  const { level, index, width } = tile;
  const from = index * TILE_WIDTH;
  const bytes =
    level === 'entries'
      ? encodeEntryBundle(entries(from, from + width))
      : hashTileOf(tree, { level, index, width });
  return { path: tilePath(tile), bytes };
}
