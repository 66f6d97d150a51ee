import { equalBytes, leafHashOf } from '../../crypto/index.js';
import { parseTilePath } from '../bundle/tile-paths.js';
import type { ZipContent } from '../bundle/zip-reader.js';
import { hashTileOf, newTiles, parseEntryBundle, TILE_WIDTH, type Tile, tilePath } from '../merkle/tiles.js';
import { LogTree } from '../merkle/tree.js';
import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '../notes/checkpoint.js';
import { textOfNote } from '../notes/signed-note.js';
import type { VerifierKey } from '../notes/vkey.js';
import type { Findings } from './findings.js';

/** The log as the bundle's files give it. */
export interface LogFiles {
  /** what the checkpoint states, signed or not; undefined when it cannot be read */
  readonly checkpoint: Checkpoint | undefined;
  /** entry bytes in order, as far as they could be read; undefined where a pruned log has none */
  readonly entries: readonly (Uint8Array | undefined)[];
  /** first entry whose bundle is there: 0 unless the log was pruned */
  readonly minimum: number;
  /** tree over these entries; over their hash tiles where there are none */
  readonly tree: LogTree;
}

/** Read checkpoint, entry bundles and hash tiles, and compare them with each other (row L1). */
export function readLogFiles(
  { files, badChecksums }: ZipContent,
  logKey: VerifierKey,
  findings: Findings,
): LogFiles {
  const { checkpoint, isSigned } = readCheckpoint(files.get('checkpoint'), logKey, findings);
  // a size that the log did not sign must not make its first entries wrong
  const size = sizeOf(isSigned ? checkpoint.size : largestSize(files), files, findings);
  const minimum = minimumOf(files, size);
  const entries = readEntries(files, size, minimum, findings);
  const tree = new LogTree();
  entries.forEach((bytes, index) => tree.append(bytes ? leafHashOf(bytes) : tiledHash(files, index)));
  compareTree({ files, entries, tree, checkpoint, size }, findings);
  const expected = new Set(tilesFrom(minimum, size).map(tilePath));
  for (const path of files.keys()) {
    if (path.startsWith('tile/') && !expected.has(path))
      findings.fail('L1', `${path} is not under the checkpoint`);
  }
  badChecksums.forEach((path) => findings.fail('L1', `the archive's checksum of ${path} does not match`));
  return { checkpoint, entries, minimum, tree };
}

interface Comparison {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly entries: readonly (Uint8Array | undefined)[];
  readonly tree: LogTree;
  readonly checkpoint: Checkpoint | undefined;
  readonly size: number;
}

function readCheckpoint(
  bytes: Uint8Array | undefined,
  logKey: VerifierKey,
  findings: Findings,
): StatedCheckpoint {
  if (bytes === undefined) {
    findings.fail('L1', 'the bundle has no checkpoint');
    return unsigned(undefined);
  }
  const note = textOfNote(bytes);
  try {
    return { checkpoint: verifyCheckpoint(note, logKey), isSigned: true };
  } catch (error) {
    findings.fail('L1', (error as Error).message);
  }
  try {
    return unsigned(parseCheckpoint(note));
  } catch {
    return unsigned(undefined);
  }
}

type StatedCheckpoint =
  | { readonly checkpoint: Checkpoint; readonly isSigned: true }
  | { readonly checkpoint: Checkpoint | undefined; readonly isSigned: false };

const unsigned = (checkpoint: Checkpoint | undefined): StatedCheckpoint => ({ checkpoint, isSigned: false });

/** Tiles of a log of some size without the entry bundles below its minimum index. */
function tilesFrom(minimum: number, size: number): Tile[] {
  return newTiles(0, size).filter(({ level, index }) => level !== 'entries' || index * TILE_WIDTH >= minimum);
}

/** Where the entry bundles begin, when the first ones are missing but not all of them. */
function minimumOf(files: ReadonlyMap<string, Uint8Array>, size: number): number {
  const bundles = tilesFrom(0, size).filter(({ level }) => level === 'entries');
  return (
    TILE_WIDTH *
    Math.max(
      0,
      bundles.findIndex((tile) => files.has(tilePath(tile))),
    )
  );
}

/** Hash of an entry by its tile; zeros, which have no root, where the tile is missing or cut. */
function tiledHash(files: ReadonlyMap<string, Uint8Array>, index: number): Uint8Array {
  const tile = files.get(tilePath({ level: 0, index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH }));
  const at = 32 * (index % TILE_WIDTH);
  const hash = tile?.slice(at, at + 32);
  return hash?.length === 32 ? hash : new Uint8Array(32);
}

function readEntries(
  files: ReadonlyMap<string, Uint8Array>,
  size: number,
  minimum: number,
  findings: Findings,
): (Uint8Array | undefined)[] {
  const entries = Array.from<Uint8Array | undefined>({ length: minimum });
  for (let index = minimum / TILE_WIDTH; index * TILE_WIDTH < size; index++) {
    const width = Math.min(TILE_WIDTH, size - index * TILE_WIDTH);
    const path = tilePath({ level: 'entries', index, width });
    const bundle = parseEntryBundle(files.get(path) ?? new Uint8Array(0), width);
    entries.push(...bundle.entries);
    if (bundle.complete) continue;
    findings.fail(
      'L1',
      files.has(path) ? `${path} is cut off or has other lengths` : `${path} is missing`,
      entries.length,
    );
    break;
  }
  return entries;
}

/** Compare the root and every hash tile with the tree over the entries; name the entries that differ. */
function compareTree(c: Comparison, findings: Findings): void {
  const complete = c.entries.length === c.size;
  const rootHolds = complete && c.checkpoint !== undefined && equalBytes(c.tree.root(), c.checkpoint.root);
  const named: number[] = [];
  for (const tile of newTiles(0, c.size)) {
    const { level } = tile;
    if (level === 'entries' || (!complete && level > 0)) continue;
    const index = differingEntry(c, { ...tile, level });
    if (index === undefined) continue;
    // a tile above repeats what is known of an entry, and would name the first one below it
    if (named.some((entry) => entry >= index && entry < index + TILE_WIDTH ** level)) continue;
    named.push(index);
    findings.fail(
      'L1',
      rootHolds ? `${tilePath(tile)} contradicts the entry` : 'the entry is not the one in the tree',
      index,
    );
  }
  if (complete && !rootHolds && named.length === 0 && c.checkpoint !== undefined) {
    findings.fail('L1', 'the entries do not give the root of the checkpoint');
  }
}

function differingEntry(
  { files, tree }: Comparison,
  tile: Tile & { readonly level: number },
): number | undefined {
  const found = files.get(tilePath(tile));
  const from = tile.index * TILE_WIDTH;
  const span = TILE_WIDTH ** tile.level;
  if (found === undefined) return from * span;
  const width = Math.max(0, Math.min(tile.width, Math.floor(tree.size / span) - from));
  // no entry under this tile could be read, and what is missing is named already
  if (width === 0) return undefined;
  const expected = hashTileOf(tree, { ...tile, width });
  for (let i = 0; i < width; i++) {
    if (!equalBytes(expected.subarray(32 * i, 32 * i + 32), found.subarray(32 * i, 32 * i + 32)))
      return (from + i) * span;
  }
  return found.length === tile.width * 32 ? undefined : (from + width - 1) * span;
}

/** As many entries as the files can hold, at most: what is claimed beyond would only cost time and memory. */
function sizeOf(claimed: number, files: ReadonlyMap<string, Uint8Array>, findings: Findings): number {
  const most = TILE_WIDTH * files.size;
  if (claimed <= most) return claimed;
  findings.fail('L1', `${claimed} entries are claimed, the files hold at most ${most}`);
  return most;
}

/** Number of entries that the entry bundles promise, when no signed checkpoint says it. */
function largestSize(files: ReadonlyMap<string, Uint8Array>): number {
  const sizes = [...files.keys()].map((path) => {
    const tile = parseTilePath(path);
    return tile?.level === 'entries' ? tile.index * TILE_WIDTH + tile.width : 0;
  });
  return Math.max(0, ...sizes);
}
