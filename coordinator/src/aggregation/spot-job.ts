import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { inclusionPath, LEAF_BYTES, MerkleHasher } from '@regulon/shared/crypto';
import { RegulonError } from '@regulon/shared/errors';
import { unpackIntegers } from '@regulon/shared/secagg';
import { type FileReader, withFiles } from './file-reader.js';
import type { OpenedTile, SpotJob, TailJob } from './job.js';

const READ_BYTES = 4 * LEAF_BYTES;

/** Open a 64 KiB piece of each file with its path; leaf hashes are kept beside the file after the first time. */
export function openTiles({ paths, tile }: SpotJob): OpenedTile[] {
  return withFiles(paths, (files) => files.map((file, i) => openTile(file, paths[i] ?? '', tile)));
}

function openTile(file: FileReader, path: string, tile: number): OpenedTile {
  const offset = tile * LEAF_BYTES;
  if (offset >= file.size) throw new RegulonError('E_NOT_FOUND', `there is no tile ${tile}`);
  const bytes = new Uint8Array(Math.min(LEAF_BYTES, file.size - offset));
  file.read(bytes, offset);
  return { tile: bytes, path: inclusionPath(leafHashes(file, `${path}.leaves`), tile) };
}

function leafHashes(file: FileReader, cache: string): Uint8Array[] {
  if (existsSync(cache)) {
    const bytes = new Uint8Array(readFileSync(cache));
    if (bytes.length === 32 * Math.ceil(file.size / LEAF_BYTES)) {
      return Array.from({ length: bytes.length / 32 }, (_, i) => bytes.subarray(32 * i, 32 * (i + 1)));
    }
  }
  const hasher = new MerkleHasher();
  const buffer = new Uint8Array(READ_BYTES);
  for (let at = 0; at < file.size; at += READ_BYTES) {
    const piece = buffer.subarray(0, Math.min(READ_BYTES, file.size - at));
    file.read(piece, at);
    hasher.update(piece);
  }
  hasher.root();
  writeFileSync(`${cache}.part`, Buffer.concat(hasher.leafHashes));
  renameSync(`${cache}.part`, cache);
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
