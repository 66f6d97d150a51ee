import { isRegulonError } from '@regulon/shared/errors';
import {
  type Kind,
  type LogEntry,
  parseEntry,
  parseEntryBundle,
  parseTilePath,
  TILE_WIDTH,
} from '@regulon/shared/transparency';

/** An entry of a bundle with its index in the log. */
export interface BundleEntry<K extends Kind = Kind> {
  readonly index: number;
  readonly entry: LogEntry<K>;
}

/** Files of a bundle by path; attacker-controlled. */
export type BundleFiles = ReadonlyMap<string, Uint8Array>;

/** Every entry of a bundle, as bytes, in the order of the log, as far as the files can be read. Nothing is verified. */
export function entriesOf(files: BundleFiles): { readonly index: number; readonly bytes: Uint8Array }[] {
  const widest = new Map<number, { width: number; bytes: Uint8Array }>();
  for (const [path, bytes] of files) {
    const tile = parseTilePath(path);
    if (tile?.level !== 'entries' || (widest.get(tile.index)?.width ?? 0) >= tile.width) continue;
    widest.set(tile.index, { width: tile.width, bytes });
  }
  const tiles = [...widest].sort(([a], [b]) => a - b);
  return tiles.flatMap(([tile, { width, bytes }]) =>
    parseEntryBundle(bytes, width).entries.map((entry, i) => ({
      ...{ index: tile * TILE_WIDTH + i, bytes: entry },
    })),
  );
}

/** Every entry of a bundle that can be read. Nothing is verified, no signature either. */
export function readableEntries(files: BundleFiles): BundleEntry[] {
  return entriesOf(files).flatMap(({ index, bytes }) => {
    try {
      return [{ index, entry: parseEntry(bytes) }];
    } catch (error) {
      if (isRegulonError(error, 'E_LOG_ENTRY')) return [];
      throw error;
    }
  });
}

/** Entries of one kind, in their order. */
export function ofKind<K extends Kind>(entries: readonly BundleEntry[], kind: K): BundleEntry<K>[] {
  const isOfKind = (one: BundleEntry): one is BundleEntry & BundleEntry<K> => one.entry.kind === kind;
  return entries.filter(isOfKind);
}

/** Bytes that an entry refers to; undefined when the bundle has none. */
export const attachmentOfBundle = (files: BundleFiles, digest: string): Uint8Array | undefined =>
  files.get(`attachments/sha256/${digest.slice('sha256:'.length)}`);
