import { inclusionPath, LEAF_BYTES, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { unpackIntegers } from '@regulon/shared/secagg';
import { type FileReader, withFiles } from './file-reader.js';
import type { OpenedTile, SpotJob, TailJob } from './job.js';

const READ_BYTES = 4 * LEAF_BYTES;

/** Open 64 KiB pieces of each file with their paths, by tile and file; leaf hashes are computed once a file. */
export function openTiles({ paths, tiles }: SpotJob): OpenedTile[][] {
  return withFiles(paths, (files) =>
    tiles.map((tile) => files.map((file, i) => openTile(file, paths[i] ?? '', tile))),
  );
}

function openTile(file: FileReader, path: string, tile: number): OpenedTile {
  const offset = tile * LEAF_BYTES;
  if (offset >= file.size) throw new RegulonError('E_NOT_FOUND', `there is no tile ${tile}`);
  const bytes = new Uint8Array(Math.min(LEAF_BYTES, file.size - offset));
  file.read(bytes, offset);
  return { tile: bytes, path: inclusionPath(leafHashes(file, path), tile) };
}

/** Leaf hashes of the files that were opened last; 32 bytes a leaf, so 200 MB of file cost 100 KB. */
const recent = new Map<string, readonly Uint8Array[]>();
const KEPT_FILES = 64;

function leafHashes(file: FileReader, path: string): readonly Uint8Array[] {
  const known = recent.get(path);
  if (known?.length === Math.ceil(file.size / LEAF_BYTES)) return known;
  const hasher = new MerkleHasher();
  const buffer = new Uint8Array(READ_BYTES);
  for (let at = 0; at < file.size; at += READ_BYTES) {
    const piece = buffer.subarray(0, Math.min(READ_BYTES, file.size - at));
    file.read(piece, at);
    hasher.update(piece);
  }
  hasher.root();
  recent.set(path, hasher.leafHashes);
  const oldest = recent.keys().next().value;
  if (recent.size > KEPT_FILES && oldest !== undefined) recent.delete(oldest);
  return hasher.leafHashes;
}

/** The last words of a vector as signed integers (the extras); values beyond 2⁵³ do not occur in extras. */
export function readTail({ path, words, ringBits }: TailJob): number[] {
  return withFiles([path], ([file]) => {
    if (!file) throw new TypeError('one file was opened');
    const bytes = new Uint8Array((words * ringBits) / 8);
    file.read(bytes, file.size - bytes.length);
    return unpackIntegers(bytes, ringBits);
  });
}
