import { RegulonError } from '@regulon/shared/errors';
import {
  explainEntry,
  parseCheckpoint,
  parseEntry,
  parseEntryBundle,
  readBundle,
  TILE_WIDTH,
  tilePath,
  textOfNote,
} from '@regulon/shared/transparency';
import { readBundleFile } from './files.js';

/** Arguments of `regulon audit explain <index>`. */
export interface ExplainArguments {
  /** path of the bundle */
  readonly bundle: string;
  readonly index: number;
}

/**
 * One entry of a bundle in words. Nothing is verified: `verifyCommand` does that.
 *
 * @throws E_BUNDLE if the bundle cannot be read; E_NOT_FOUND if it has no such entry
 */
export async function explainCommand({ bundle, index }: ExplainArguments): Promise<string> {
  const { files } = readBundle(await readBundleFile(bundle));
  return explainEntry(parseEntry(entryOf(files, index)), index);
}

/** Bytes of one entry. @throws E_NOT_FOUND if the bundle has no such entry; E_BUNDLE if it cannot be read */
export function entryOf(files: ReadonlyMap<string, Uint8Array>, index: number): Uint8Array {
  const { size } = parseCheckpoint(textOfNote(files.get('checkpoint')));
  if (!Number.isInteger(index) || index < 0 || index >= size) {
    throw new RegulonError('E_NOT_FOUND', `the bundle has no entry ${index}; its last is ${size - 1}`);
  }
  const tile = Math.floor(index / TILE_WIDTH);
  const width = Math.min(TILE_WIDTH, size - tile * TILE_WIDTH);
  const bytes = files.get(tilePath({ level: 'entries', index: tile, width })) ?? new Uint8Array(0);
  const entry = parseEntryBundle(bytes, width).entries[index - tile * TILE_WIDTH];
  if (entry === undefined) throw new RegulonError('E_BUNDLE', `entry ${index} of the bundle cannot be read`);
  return entry;
}
