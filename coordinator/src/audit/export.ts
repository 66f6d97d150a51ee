import {
  attachmentsOf,
  bundleFiles,
  type FederationKeys,
  type LogTree,
  newTiles,
  parseEntry,
  writeBundle,
} from '@regulon/shared/transparency';
import { AttachmentFolder } from './attachments.js';
import type { PublishedHead } from './log-head.js';
import type { LogRows } from './log-rows.js';
import { fileOf } from './tile-folder.js';

/** What a bundle is made of. */
export interface BundleSource {
  readonly head: PublishedHead;
  readonly tree: LogTree;
  readonly rows: LogRows;
  readonly keys: FederationKeys;
  readonly attachments: AttachmentFolder;
}

/**
 * The auditor's bundle of everything under one checkpoint.
 *
 * @returns deterministic zip: the same log gives the same bytes
 * @throws E_NOT_FOUND or E_DIGEST if an attachment is missing or was changed
 */
export async function exportBundle({
  head,
  tree,
  rows,
  keys,
  attachments,
}: BundleSource): Promise<Uint8Array> {
  const files = new Map<string, Uint8Array>([['checkpoint', new TextEncoder().encode(head.note)]]);
  for (const tile of newTiles(0, head.size)) {
    const { path, bytes } = fileOf(tile, tree, (from, to) => rows.entries(from, to));
    files.set(path, bytes);
  }
  for (const bytes of rows.entries(0, head.size)) {
    for (const { digest } of attachmentsOf(parseEntry(bytes))) {
      const path = AttachmentFolder.pathOf(digest);
      if (!files.has(path)) files.set(path, await attachments.get(digest));
    }
  }
  const policy = await attachments.get(keys.genesis.quorumPolicy.digest);
  for (const [path, bytes] of bundleFiles(keys.genesis, keys.members, policy)) files.set(path, bytes);
  return writeBundle(files);
}
